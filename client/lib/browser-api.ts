import { browserEnvironment } from "@/sync/environment";
import { createAccountApi } from "./account-api";
import { createApi } from "./api";
import { createCalls } from "./api-call";
import { authSession } from "./auth-session";
import { createHistoryApi } from "./history-api";
import { createMembersApi } from "./members-api";

const send: typeof fetch = (input, init) => fetch(input, init);
const calls = createCalls(authSession, send);

/** The calls of this browser, over its one log-in. */
export const api = createApi(authSession, send);

/** The calls about what was. */
export const historyApi = createHistoryApi(calls, browserEnvironment.newId);

/** The calls about this device's account. */
export const accountApi = createAccountApi(calls);

/** The calls by which devices of other accounts come in, and members go. */
export const membersApi = createMembersApi(calls);
