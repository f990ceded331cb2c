"use client";

import { useState } from "react";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { inputClass } from "@/components/ui/text-field";
import { problemOf } from "@/lib/api-error";
import { membersApi } from "@/lib/browser-api";
import { classNames } from "@/lib/class-names";
import type { Ask } from "@/lib/members-api";

interface AskCardProps {
  ask: Ask;
  username: string;
  /** Answered, here or elsewhere: the list is to be read again. */
  onDone: () => void;
}

const fields = ["code"] as const;

/**
 * A device of another account that wants to join. Letting it in takes the number
 * on its screen: a mere yes could be pressed for the wrong device.
 */
export function AskCard({ ask, username, onDone }: AskCardProps) {
  const [failure, setFailure] = useState<string | null>(null);
  const form = useForm(fields, async ({ code }) => {
    const refused = await membersApi.approve(username, ask.id, code).then(() => null, problemOf);
    if (!refused || refused.status === 404) onDone();
    return refused;
  });
  const deny = async (block: boolean) => {
    try {
      await membersApi.deny(username, ask.id, block);
      onDone();
    } catch (thrown) {
      setFailure(problemOf(thrown).detail);
    }
  };
  const error = form.errors.fields.code ?? form.errors.form ?? failure;
  const inputId = `code-of-${ask.id}`;
  return (
    <section
      aria-label="wants to join"
      className="rounded-card border border-accent bg-surface p-4 shadow-card sm:p-6"
    >
      <p className="[overflow-wrap:anywhere]">
        <span className="font-medium">{ask.device.name}</span> of {ask.email} wants to join{" "}
        <span className="font-medium">{username}</span>.
      </p>
      <Form form={form} className="mt-3">
        <label htmlFor={inputId} className="mb-1.5 block font-medium text-sm">
          Type the number it shows
        </label>
        <div className="flex flex-wrap items-center gap-2">
          <div className="w-20">
            <input
              id={inputId}
              name="code"
              className={classNames(
                inputClass,
                "text-center font-semibold text-lg tabular-nums tracking-widest",
              )}
              inputMode="numeric"
              autoComplete="off"
              aria-invalid={error ? true : undefined}
              aria-describedby={error ? `${inputId}-note` : undefined}
            />
          </div>
          <Button type="submit" look="primary" aria-disabled={form.busy}>
            approve
          </Button>
          <Button onClick={() => deny(false)}>deny</Button>
          <Button look="quiet" onClick={() => deny(true)}>
            deny and block
          </Button>
        </div>
        {error && (
          <p id={`${inputId}-note`} role="alert" className="mt-1.5 text-bad text-sm">
            {error}
          </p>
        )}
      </Form>
    </section>
  );
}
