import type { ClientFrame } from "../protocol";
import type { MakeSocket, Socket, SocketEvents } from "../websocket-link";

/** One fake socket: what the client said, and a hand to play the server. */
export class FakeSocket implements Socket {
  readonly sent: ClientFrame[] = [];
  /** The code the client closed it with; null while it has not. */
  closedWith: number | null = null;

  constructor(
    readonly url: string,
    readonly protocol: string,
    readonly events: SocketEvents,
  ) {}

  readonly send = (text: string): void => {
    this.sent.push(JSON.parse(text));
  };

  readonly close = (code: number): void => {
    this.closedWith = code;
  };

  readonly open = (): void => this.events.open();
  readonly say = (frame: object): void => this.events.message(JSON.stringify(frame));
  readonly drop = (code: number): void => this.events.close(code);

  /** The frames of one type, in order. */
  readonly said = <T extends ClientFrame["type"]>(type: T): Extract<ClientFrame, { type: T }>[] =>
    this.sent.filter((frame): frame is Extract<ClientFrame, { type: T }> => frame.type === type);
}

/** Makes fake sockets and remembers them all. */
export class FakeSockets {
  readonly all: FakeSocket[] = [];

  readonly make: MakeSocket = (url, protocol, events) => {
    const socket = new FakeSocket(url, protocol, events);
    this.all.push(socket);
    return socket;
  };

  /** The newest one. */
  get last(): FakeSocket {
    const last = this.all.at(-1);
    if (!last) throw new Error("no socket was made");
    return last;
  }
}
