"use client";

import Link from "next/link";
import { useRouter, useSearchParams } from "next/navigation";
import { StorageNotice } from "@/components/session/storage-notice";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { TextField } from "@/components/ui/text-field";
import { authSession } from "@/lib/auth-session";
import { nextPath } from "@/lib/next-path";
import { Form } from "./form";
import { useForm } from "./use-form";

const fields = ["deviceName", "password"] as const;

/** Logs in as a device, then goes where the person was heading. A device just registered is filled in. */
export function LoginForm() {
  const router = useRouter();
  const query = useSearchParams();
  const registered = query.get("registered");
  const form = useForm(fields, async ({ deviceName, password }) => {
    const outcome = await authSession.signIn(deviceName, password);
    if (!outcome.ok) return outcome.problem;
    router.replace(nextPath(query.get("next")));
    return null;
  });

  return (
    <Form form={form} className="space-y-2.5">
      <StorageNotice />
      <Word refused={form.errors.form} registered={registered} revoked={query.has("revoked")} />
      <TextField
        name="deviceName"
        label="deviceName"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        defaultValue={registered ?? ""}
        error={form.errors.fields.deviceName}
      />
      <PasswordField
        name="password"
        label="password"
        autoComplete="current-password"
        error={form.errors.fields.password}
      />
      <Button type="submit" look="primary" className="w-full" aria-disabled={form.busy}>
        Log In
      </Button>
      {form.errors.form && (
        <p className="pt-3 text-center text-muted text-sm">
          Password forgotten?{" "}
          <Link href="/reset" className="font-medium text-accent underline-offset-4 hover:underline">
            Set a new one
          </Link>
        </p>
      )}
      <p className="pt-3 text-center text-muted text-sm">
        A new device?{" "}
        <Link href="/register" className="font-medium text-accent underline-offset-4 hover:underline">
          Register it
        </Link>
      </p>
    </Form>
  );
}

interface WordProps {
  refused: string | null;
  registered: string | null;
  revoked: boolean;
}

/** What the person should know first: why it did not work, or why they are here. */
function Word({ refused, registered, revoked }: WordProps) {
  if (refused) return <Notice tone="bad">{refused}</Notice>;
  if (revoked) {
    return (
      <Notice tone="bad">
        This device was revoked, and everything kept on it was removed. To come back, register it again.
      </Notice>
    );
  }
  return registered && <Notice tone="good">{registered} is registered. Log in to start.</Notice>;
}
