import type { Page } from "@playwright/test";

/** Everything that went wrong in a page without anybody seeing it. */
export class Faults {
  private readonly found: string[] = [];
  private readonly expected: RegExp[] = [];

  /** Listens to a page from its first load on. */
  watch(page: Page, name: string): void {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.note(`${name}: console ${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on("pageerror", (error) => this.note(`${name}: uncaught: ${error.stack ?? error.message}`));
    page.on("crash", () => this.note(`${name}: the page crashed`));
    page.on("response", (response) => {
      if (response.status() >= 500) this.note(`${name}: ${response.status()} from ${response.url()}`);
    });
  }

  /** Says that what matches belongs to the test: a browser reports a server that is gone, and every 4xx. */
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  /** What nobody expected. */
  unexpected(): string[] {
    return this.found.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }

  private note(text: string): void {
    this.found.push(text);
  }
}

/** What Chromium says about a server that cannot be reached. */
export const serverGone =
  /net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|INTERNET_DISCONNECTED|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|NETWORK_CHANGED|ABORTED|INCOMPLETE_CHUNKED_ENCODING)|WebSocket connection to .* failed/;
