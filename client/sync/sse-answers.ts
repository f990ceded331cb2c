import { brokenOff, frameTooBig } from "./codes";
import { readServerFrame, type ServerFrame } from "./protocol";
import * as z from "./zod";

/** The media type of a patch frame as a body (SPEC P7). */
export const patchType = "application/vnd.settings-sync.patch+json";

const problemSchema = z.object({
  code: z._default(z.string(), ""),
  detail: z._default(z.string(), ""),
  errors: z.nullish(z.array(z.object({ field: z.string(), message: z.string() }))),
  current: z.optional(z.unknown()),
});
type Problem = z.infer<typeof problemSchema>;

const noProblem: Problem = { code: "", detail: "", errors: null };

/** The close code that says over a socket what this answer to the stream's request says; null = it is open. */
export async function streamFate(response: Response): Promise<number | null> {
  if (response.status === 200) return null;
  if (response.status === 204) return 4503; // the device was revoked (SPEC H3)
  return fateOfProblem(response.status, await problemOf(response));
}

/** What a PATCH was answered with, as the frame a socket would have brought, or as a close code. */
export async function patchAnswer(id: string, response: Response): Promise<ServerFrame | number> {
  if (response.ok) {
    const body: unknown = await response.json();
    const ack =
      typeof body === "object" ? readServerFrame(JSON.stringify({ ...body, type: "ack", id })) : null;
    return ack ?? brokenOff;
  }
  const problem = await problemOf(response);
  const { status } = response;
  if (status === 401 || status === 403 || status === 404) return fateOfProblem(status, problem);
  // Without a code it is no answer of ours but of something in between. One that lets no body
  // of this size through does so each time, like a socket that ends over too big a frame.
  if (problem.code === "") return status === 413 ? frameTooBig : brokenOff;
  const [first] = problem.errors ?? [];
  const seconds = Number(response.headers.get("Retry-After"));
  const refused = {
    type: "refused",
    id,
    code: problem.code,
    message: first?.message ?? problem.detail,
    field: first?.field,
    current: problem.current,
    retryIn: seconds > 0 ? seconds * 1000 : undefined,
  };
  return readServerFrame(JSON.stringify(refused)) ?? brokenOff;
}

function fateOfProblem(status: number, { code }: Problem): number {
  switch (status) {
    case 401:
      if (code === "revoked") return 4503;
      return code === "expired" ? 4001 : 4501;
    case 404:
      // Only our own 404 says that there is no such user for this device (SPEC C3).
      return code === "not-found" ? 4506 : brokenOff;
    case 429:
      return 4004;
    default:
      return brokenOff;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const parsed = problemSchema.safeParse(await response.json().catch(() => null));
  return parsed.success ? parsed.data : noProblem;
}
