import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "@playwright/test";
import { freePort } from "./server";

const readme = resolve(import.meta.dirname, "../../README.md");

/** A proxy that others wrote, as its own process, on a free port of this machine. */
export class ReverseProxy {
  private output = "";

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  /** nginx with the lines of one server, and of `http` before it. */
  static nginx(lines: string, http = ""): Promise<ReverseProxy> {
    return ReverseProxy.start(
      "nginx",
      (folder) => ["-p", folder, "-c", join(folder, "conf"), "-e", "stderr", "-g", "master_process off;"],
      (folder, port) => {
        const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        const temporary = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
        const server = `server { listen 127.0.0.1:${port};\n${lines}\n}`;
        return `daemon off;\npid ${folder}/pid;\nevents {}\nhttp { access_log off;\n${temporary}\n${http}\n${server}\n}\n`;
      },
    );
  }

  /** Caddy with the lines of one site. */
  static caddy(lines: string): Promise<ReverseProxy> {
    return ReverseProxy.start(
      "caddy",
      (folder) => ["run", "--config", join(folder, "conf"), "--adapter", "caddyfile"],
      (_, port) => `{\n\tadmin off\n\tauto_https off\n}\nhttp://localhost:${port} {\n${lines}\n}\n`,
    );
  }

  /** Ends it, and everything through it. */
  async close(): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGKILL");
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private static async start(
    program: string,
    words: (folder: string) => string[],
    configuration: (folder: string, port: number) => string,
  ): Promise<ReverseProxy> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), `${program}-`));
    await writeFile(join(folder, "conf"), configuration(folder, port));
    const child = spawn(program, words(folder), {
      env: {
        NODE_ENV: "production",
        PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin`, // not everybody's has them
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const proxy = new ReverseProxy(port, folder, child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        proxy.output += chunk.toString();
      });
    }
    child.once("error", (error) => {
      proxy.output += error.message;
    });
    const listens = async () => (child.exitCode ?? (await answers(port))) || proxy.output;
    await expect.poll(listens, { message: `${program} listens`, intervals: [20, 50] }).toBe(true);
    return proxy;
  }
}

/** Whether something listens on a port. */
function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((tell) => {
    socket.once("connect", () => tell(true)).once("error", () => tell(false));
  }).then((there) => {
    socket.destroy();
    return there === true;
  });
}

/** README's lines for nginx, or what is in its site for Caddy, with the server's port in place of the default one. */
export async function readmeLines(program: "nginx" | "Caddy", port: number): Promise<string> {
  const text = await readFile(readme, "utf8");
  const block =
    program === "nginx"
      ? /^location \/ \{\n[\s\S]*?^\}$/m.exec(text)?.[0]
      : /^sync\.example\.org \{\n([\s\S]*?)^\}$/m.exec(text)?.[1];
  if (!block?.includes(":3000")) throw new Error(`README.md has no lines for ${program}`);
  return block.replaceAll(":3000", `:${port}`);
}
