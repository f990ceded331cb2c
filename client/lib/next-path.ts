import { urlPart } from "@/sync/well-formed";

/**
 * Where to go after logging in: the page that was asked for, or the home page.
 * Only a path of this site is accepted, since `?next=` can be written by anyone
 * and `//elsewhere.example` would leave it.
 */
export function nextPath(next: string | null): string {
  if (!next?.startsWith("/")) return "/";
  const home = "https://here.invalid";
  try {
    const url = new URL(next, home);
    if (url.origin !== home || next.startsWith("//") || next.includes("\\")) return "/";
    return url.pathname === "/login" ? "/" : url.pathname + url.search;
  } catch {
    return "/";
  }
}

/** The login page that comes back to `path`. */
export function loginPath(path: string): string {
  return path === "/" ? "/login" : `/login?next=${encodeURIComponent(path)}`;
}

/** The login page that says why: this device was locked out. Nothing here is its own any more to come back to. */
export const revokedPath = "/login?revoked=yes";

/** The application page of a user. */
export function userPath(username: string): string {
  return `/app?user=${urlPart(username)}`;
}
