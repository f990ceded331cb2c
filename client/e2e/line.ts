import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A wire between one device and the server. Cutting it ends what is on it and
 * refuses what comes, which `context.setOffline` alone does not do to sockets
 * that are open.
 */
export class Line {
  private readonly sockets = new Set<Socket>();
  private listener: Server | null = null;

  private constructor(
    private readonly target: number,
    private port: number,
  ) {}

  static async to(port: number): Promise<Line> {
    const line = new Line(port, 0);
    await line.mend();
    return line;
  }

  get origin(): string {
    return `http://localhost:${this.port}`;
  }

  async cut(): Promise<void> {
    const listener = this.listener;
    if (!listener) return;
    this.listener = null;
    const closed = once(listener, "close");
    listener.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    if (this.listener) return;
    const listener = createServer((near) => this.join(near));
    listener.listen(this.port, "127.0.0.1");
    await once(listener, "listening");
    const address = listener.address();
    if (address !== null && typeof address !== "string") this.port = address.port;
    this.listener = listener;
  }

  private join(near: Socket): void {
    const far = connect(this.target, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
