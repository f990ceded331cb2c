import { browserEnvironment } from "@/sync/environment";
import { createApi } from "./api";
import { createCalls } from "./api-call";
import { authSession } from "./auth-session";
import { createHistoryApi } from "./history-api";

const send: typeof fetch = (input, init) => fetch(input, init);
const calls = createCalls(authSession, send);

/** The calls of this browser, over its one log-in. */
export const api = createApi(authSession, send);

/** The calls about what was. */
export const historyApi = createHistoryApi(calls, browserEnvironment.newId);
