import { password } from "./device";
import type { Server } from "./server";

/** A device without a browser: a few lines of a program that calls the REST interface. */
export class Script {
  private constructor(
    private readonly server: Server,
    private readonly token: string,
  ) {}

  /** Registers a device and logs in as it. */
  static async logIn(server: Server, deviceName: string, email: string): Promise<Script> {
    await post(server.api("/register"), { deviceName, email, password });
    const answer: unknown = await (await post(server.api("/login"), { deviceName, password })).json();
    if (typeof answer !== "object" || answer === null || !("accessToken" in answer))
      throw new Error("no token");
    return new Script(server, String(answer.accessToken));
  }

  call(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    if (body === undefined) return fetch(this.server.api(path), { method, headers });
    headers["Content-Type"] = "application/json";
    return fetch(this.server.api(path), { method, headers, body: JSON.stringify(body) });
  }

  /** All there is to know about a user's settings. */
  async settings(username: string): Promise<unknown> {
    const answer = await this.call("GET", `/users/${username}/settings`);
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
}

async function post(url: string, body: unknown): Promise<Response> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}: ${await answer.text()}`);
  return answer;
}
