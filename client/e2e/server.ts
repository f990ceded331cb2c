import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "@playwright/test";
import { Line } from "./line";

const binary = resolve(import.meta.dirname, "../../bin/social-server");

/** A port of this machine that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}

/** The built server as its own process, with a folder of data that outlives a restart. */
export class Server {
  /** Everything it wrote, for a test that fails. */
  output = "";
  private process: ChildProcess | null = null;
  private readonly lines: Line[] = [];

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Makes a server with its own port and folder, and starts it. */
  static async start(settings: Record<string, string> = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "social-server-"));
    const server = new Server(await freePort(), folder, settings);
    await server.start();
    return server;
  }

  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  /** The REST address of a path such as `/users`. */
  api(path: string): string {
    return `${this.origin}/api/v1${path}`;
  }

  /** Starts the process and waits until it is ready. */
  async start(): Promise<void> {
    const child = spawn(binary, {
      cwd: this.folder, // so that no .env of this repository is read
      env: {
        NODE_ENV: "production",
        PATH: process.env.PATH,
        LISTEN_ADDR: `localhost:${this.port}`,
        DATA_DIR: join(this.folder, "data"),
        LOGINS_PER_MINUTE: "1000",
        ...this.settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    let failure = "";
    child.once("error", (error) => {
      failure = `${binary}: ${error.message}; run make build first`;
    });
    await expect
      .poll(
        async (): Promise<boolean | string> => {
          if (failure) return failure;
          return child.exitCode === null ? this.ready() : `it ended: ${this.output}`;
        },
        {
          message: "the server becomes ready",
          intervals: [20, 50],
        },
      )
      .toBe(true);
  }

  /** Ends the process as an administrator would, or as a power cut would; answers its exit code. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | null> {
    const child = this.process;
    if (!child) return null;
    this.process = null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  }

  /** A way to this server that a test can cut. */
  async line(): Promise<Line> {
    const line = await Line.to(this.port);
    this.lines.push(line);
    return line;
  }

  /** Ends everything and removes the data. */
  async remove(): Promise<number | null> {
    const code = await this.stop();
    for (const line of this.lines) await line.cut();
    await rm(this.folder, { recursive: true, force: true });
    return code;
  }

  private async ready(): Promise<boolean> {
    try {
      return (await fetch(`${this.origin}/readyz`)).ok;
    } catch {
      return false;
    }
  }
}
