import { createApi } from "./api";
import { authSession } from "./auth-session";

/** The calls of this browser, over its one log-in. */
export const api = createApi(authSession, (input, init) => fetch(input, init));
