import type { Undo } from "@/sync/environment";
import { encodeJson } from "@/sync/well-formed";
import { problemFrom, unreachable } from "./api-error";
import { type Grant, parseDevice, parseGrant, parseTold } from "./auth-answers";
import { type AuthEnvironment, browserAuthEnvironment } from "./auth-environment";
import type { AccessToken, AuthSession, AuthState, SignedInDevice, SignInOutcome } from "./auth-types";

/** A token this close to its end is renewed before it is used. */
const earlyMs = 30_000;
const bootRetryMs = 3_000;
const secondTryMs = 700;

/** Who was signed in last: no secret, but what makes offline settings and quiet first visits possible. */
const deviceKey = "social-device";
/** The server has not yet heard of a sign-out. */
const leavingKey = "social-signed-out";

/**
 * The log-in of this browser. The access token lives in memory only; what outlives the
 * page is an HttpOnly cookie that no script can read. Tabs share both: one refresh at a
 * time, because the cookie changes with each, and its token is told to the others.
 * Where cookies are blocked, the refresh token lives in memory too, and ends with the page.
 */
export class BrowserAuthSession implements AuthSession {
  private state: AuthState = { state: "starting" };
  private token: AccessToken | null = null;
  /** Only where the browser keeps no cookies. */
  private refreshToken: string | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly undos: Undo[] = [];
  private env: AuthEnvironment | null = null;
  private renewing: Promise<AccessToken | null> | null = null;
  private retry: Undo | null = null;

  /** `makeEnv` is called on first use: pages are built where there is no browser. */
  constructor(private readonly makeEnv: () => AuthEnvironment) {}

  readonly subscribe = (listener: () => void): Undo => {
    this.begin();
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): AuthState => this.state;

  readonly signIn = async (deviceName: string, password: string): Promise<SignInOutcome> => {
    const env = this.begin();
    return env.alone(async () => {
      let response: Response;
      try {
        const session = env.keepsCookies() ? { session: "cookie" } : {};
        response = await env.send("/api/v1/login", post({ deviceName, password, ...session }));
      } catch {
        return { ok: false, problem: unreachable };
      }
      const grant = response.ok ? parseGrant(await json(response), env.now()) : null;
      if (!grant?.device) return { ok: false, problem: problemFrom(response.status, await text(response)) };
      this.accept(grant, grant.device);
      return { ok: true, device: grant.device };
    });
  };

  readonly signOut = async (): Promise<void> => {
    const env = this.begin();
    const { token, refreshToken } = this;
    // Noted first: without the network the cookie stays, and must not sign anyone in again.
    env.remember(leavingKey, "yes");
    this.leave();
    await env.alone(() => this.tellServer(env, token, refreshToken));
  };

  readonly accessToken = async (): Promise<AccessToken | null> => {
    const { now } = this.begin();
    if (this.token && this.token.expiresAt - now() > earlyMs) return this.token;
    return this.renew();
  };

  readonly renew = (): Promise<AccessToken | null> => {
    const env = this.begin();
    if (this.state.state === "signed-out") return Promise.resolve(null);
    const stale = this.token;
    this.renewing ??= env
      .alone(() => this.refresh(env, stale))
      .finally(() => {
        this.renewing = null;
      });
    return this.renewing;
  };

  readonly forget = (): void => {
    this.begin();
    this.leave(true);
  };

  readonly stop = (): void => {
    this.retry?.();
    for (const undo of this.undos.splice(0)) undo();
    this.env = null;
  };

  /** The first use: listens to the other tabs and finds out whether someone is signed in. */
  private begin(): AuthEnvironment {
    if (this.env) return this.env;
    const env = this.makeEnv();
    this.env = env;
    this.undos.push(env.onTold(this.hear), env.onWake(this.boot));
    const known = parseDevice(env.recall(deviceKey));
    if (env.recall(leavingKey) !== null) {
      this.move({ state: "signed-out" });
      void env.alone(() => this.tellServer(env, null));
    } else if (!known && env.canRemember()) this.move({ state: "signed-out" });
    else queueMicrotask(this.boot);
    return env;
  }

  /** One refresh tells whether the log-in still stands; an unreachable server is asked again. */
  private readonly boot = (): void => {
    if (this.state.state !== "starting" && this.state.state !== "unreachable") return;
    this.renew().catch(() => {
      const { env, state } = this;
      if (!env || (state.state !== "starting" && state.state !== "unreachable")) return;
      if (state.state === "starting")
        this.move({ state: "unreachable", device: parseDevice(env.recall(deviceKey)) });
      this.retry?.();
      this.retry = env.after(bootRetryMs, this.boot);
    });
  };

  /** Runs alone among the tabs. `stale`: the token that is no longer good enough. */
  private async refresh(env: AuthEnvironment, stale: AccessToken | null): Promise<AccessToken | null> {
    // Another tab may have been first, and has told us.
    if (this.token && this.token !== stale) return this.token;
    if (this.state.state === "signed-out") return null;
    if (!this.refreshToken && !env.keepsCookies()) {
      this.signedOut(false); // of this page; what the others have is theirs
      return null;
    }
    let response = await env.send("/api/v1/refresh", post(this.refreshBody()));
    if (response.status === 401 && !env.canBeAlone()) {
      // Two tabs may have used one cookie at the same time; by now it is the newer one.
      await new Promise<void>((resolve) => env.after(secondTryMs, resolve));
      if (this.token && this.token !== stale) return this.token;
      response = await env.send("/api/v1/refresh", post(this.refreshBody()));
    }
    if (response.status === 401) {
      this.leave(problemFrom(401, await text(response)).code === "revoked");
      return null;
    }
    const grant = response.ok ? parseGrant(await json(response), env.now()) : null;
    const device = grant?.device ?? parseDevice(env.recall(deviceKey));
    if (!grant || !device) throw new Error(`refresh was answered with ${response.status}`);
    this.accept(grant, device);
    return grant.token;
  }

  private refreshBody(): object {
    return this.refreshToken ? { refreshToken: this.refreshToken } : {};
  }

  private async tellServer(
    env: AuthEnvironment,
    token: AccessToken | null,
    refreshToken: string | null = null,
  ): Promise<void> {
    try {
      const init = post(refreshToken ? { refreshToken } : {});
      if (token) init.headers = { ...init.headers, Authorization: `Bearer ${token.token}` };
      const response = await env.send("/api/v1/logout", init);
      if (response.ok || response.status === 401) env.remember(leavingKey, null);
    } catch {
      // Still noted, so the next page tries again.
    }
  }

  private accept({ token, refreshToken }: Grant, device: SignedInDevice): void {
    this.refreshToken = refreshToken;
    this.env?.remember(leavingKey, null);
    this.env?.remember(deviceKey, JSON.stringify(device));
    this.take(token, device);
    this.env?.tell({ type: "token", ...token, device });
  }

  private take(token: AccessToken, device: SignedInDevice): void {
    this.token = token;
    const { state } = this;
    const same =
      state.state === "signed-in" && state.device.id === device.id && state.device.name === device.name;
    if (!same) this.move({ state: "signed-in", device });
  }

  private leave(revoked = false): void {
    this.signedOut(revoked);
    this.env?.tell({ type: "signed-out", ...(revoked && { revoked }) });
  }

  private signedOut(revoked: boolean): void {
    this.token = null;
    this.refreshToken = null;
    this.retry?.();
    this.env?.remember(deviceKey, null);
    if (this.state.state !== "signed-out") this.move({ state: "signed-out", ...(revoked && { revoked }) });
  }

  private readonly hear = (message: unknown): void => {
    const told = parseTold(message);
    if (told?.type === "token") this.take({ token: told.token, expiresAt: told.expiresAt }, told.device);
    if (told?.type === "signed-out") this.signedOut(told.revoked ?? false);
  };

  private move(state: AuthState): void {
    this.state = state;
    for (const listener of [...this.listeners]) listener();
  }
}

/** The one log-in of this browser. */
export const authSession: AuthSession = new BrowserAuthSession(browserAuthEnvironment);

function post(body: unknown): RequestInit {
  return {
    method: "POST",
    credentials: "same-origin",
    cache: "no-store",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: encodeJson(body),
  };
}

function json(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}

function text(response: Response): Promise<string> {
  return response.bodyUsed ? Promise.resolve("") : response.text().catch(() => "");
}
