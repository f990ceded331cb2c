import * as z from "@/sync/zod";

const replacement = {
  block: z.string(),
  key: z.string(),
  value: z.json(),
  /** Absent where the key had never been set. */
  previous: z.optional(z.json()),
};

/** A page of `GET …/history`, newest first (SPEC U1). */
export const historyShape = z.object({
  changes: z.array(
    z.object({
      ...replacement,
      revision: z.number(),
      device: z.object({ id: z.string(), name: z.string() }),
      at: z.string(),
    }),
  ),
  next: z.optional(z.number()),
});

/** Values by block and key, each with its origin: what stands in the way of an undo. */
export const currentShape = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({ value: z.json(), revision: z.number(), device: z.string(), at: z.string() }),
  ),
);

/** What a patch would do: the answer to `dryRun` (SPEC U5). */
export const trialShape = z.object({
  epoch: z.string(),
  revision: z.number(),
  changes: z.array(z.object(replacement)),
});

/** A patch that was stored. */
export const storedShape = z.object({ revision: z.number() });
