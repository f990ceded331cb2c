"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Countdown } from "@/components/ui/countdown";
import { Notice } from "@/components/ui/notice";
import { TextField } from "@/components/ui/text-field";
import { Asking, type AskingState } from "@/lib/asking";
import { membersApi } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { userPath } from "@/lib/next-path";
import { browserEnvironment } from "@/sync/environment";

const fields = ["otherUser"] as const;

/** Asks the members of somebody else's user to be let in, and waits for their answer. */
export function AskForm() {
  const router = useRouter();
  const [asking] = useState(() => new Asking(membersApi, browserEnvironment));
  const state = useSyncExternalStore(asking.subscribe, asking.getSnapshot, asking.getSnapshot);
  const form = useForm(fields, async ({ otherUser }) => {
    const refused = await asking.ask(otherUser);
    return refused && blame(refused, { 404: "otherUser", 422: "otherUser" });
  });

  useEffect(() => asking.cancel, [asking]);
  useEffect(() => {
    if (state.is === "joined") router.push(userPath(state.username));
  }, [state, router]);

  if (state.is === "waiting") return <Waiting state={state} onCancel={asking.cancel} />;
  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      <Outcome state={state} />
      <TextField
        name="otherUser"
        label="name of the user"
        hint="One of its devices has to let this one in."
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        error={form.errors.fields.otherUser}
      />
      <Button type="submit" aria-disabled={form.busy}>
        ask to join
      </Button>
    </Form>
  );
}

/** What came of the last request. */
function Outcome({ state }: { state: AskingState }) {
  switch (state.is) {
    case "denied":
      return <Notice tone="bad">{`${state.username} did not let this device in.`}</Notice>;
    case "expired":
      return <Notice tone="warn">{`Nobody answered for ${state.username}. You can ask again.`}</Notice>;
    case "joined":
      return <Notice tone="good">{`Let in. Opening ${state.username}…`}</Notice>;
    case "idle":
    case "asking":
    case "waiting":
      return null;
  }
}

interface WaitingProps {
  state: Extract<AskingState, { is: "waiting" }>;
  onCancel: () => void;
}

/** The number a member has to type, as large as it can be read across a room. */
function Waiting({ state, onCancel }: WaitingProps) {
  return (
    <div className="space-y-3 text-center">
      <div role="status" className="space-y-3">
        <p className="text-sm">
          Waiting for <span className="font-medium">{state.username}</span>. One of its devices is asked for
          this number:
        </p>
        <p className="font-semibold text-6xl tabular-nums leading-none tracking-widest">{state.code}</p>
      </div>
      <p className="text-muted text-sm">
        <Countdown until={state.until} />
      </p>
      <Button size="small" onClick={onCancel}>
        cancel
      </Button>
    </div>
  );
}
