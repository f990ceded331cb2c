import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { expect } from "@playwright/test";

const bin = (name: string) => resolve(import.meta.dirname, "../../bin", name);

/** One of the servers behind the load balancer. */
export interface Node {
  name: string;
  pid: number;
  /** Where it tells its figures. */
  metrics: string;
}

/** Two nodes with PostgreSQL, Redis and a load balancer, as `make cluster` runs them. */
export class Cluster {
  /** Everything it and its nodes wrote, for a test that fails. */
  output = "";
  private process: ChildProcess | null = null;

  static async start(settings: Record<string, string> = {}): Promise<Cluster> {
    const cluster = new Cluster();
    const child = spawn(bin("cluster"), ["-server", bin("social-server"), "-port", "0"], {
      env: {
        NODE_ENV: "production",
        PATH: process.env.PATH,
        LOGINS_PER_MINUTE: "1000",
        METRICS_ADDR: "127.0.0.1:0",
        LOG_FORMAT: "text",
        ...settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    cluster.process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        cluster.output += chunk.toString();
      });
    }
    child.once("error", (error) => {
      cluster.output += error.message;
    });
    await expect
      .poll(() => /^ready$/m.test(cluster.output) || child.exitCode !== null, {
        timeout: 60_000,
        intervals: [50],
      })
      .toBe(true);
    if (child.exitCode !== null) throw new Error(`the cluster ended: ${cluster.output}`);
    return cluster;
  }

  /** Where browsers find it. */
  get origin(): string {
    return this.find(/^balancer (\S+)$/m);
  }

  get nodes(): Node[] {
    return [...this.output.matchAll(/^(node-\d+) \S+ pid (\d+)$/gm)].map(([, name = "", pid]) => ({
      name,
      pid: Number(pid),
      metrics: this.find(new RegExp(`^${name} \\|.*metrics and profiles.* address=(\\S+)`, "m")),
    }));
  }

  /** How many devices a node has a session with. */
  async sessions(node: Node): Promise<number> {
    const text = await (await fetch(`http://${node.metrics}/metrics`)).text();
    return Number(/^social_sessions (\d+)$/m.exec(text)?.[1]);
  }

  /** Ends everything in order; answers the exit code. */
  async remove(): Promise<number | null> {
    const child = this.process;
    if (!child) return null;
    this.process = null;
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    return child.exitCode;
  }

  private find(pattern: RegExp): string {
    const found = pattern.exec(this.output)?.[1];
    if (!found) throw new Error(`${pattern} is not in what the cluster wrote: ${this.output}`);
    return found;
  }
}
