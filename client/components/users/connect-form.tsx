"use client";

import { useRouter } from "next/navigation";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { TextField } from "@/components/ui/text-field";
import { problemOf } from "@/lib/api-error";
import { api } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { userPath } from "@/lib/next-path";

const fields = ["username"] as const;

/** *connect*: makes a user with this device as its first member, and opens it. */
export function ConnectForm() {
  const router = useRouter();
  const form = useForm(fields, async ({ username }) => {
    try {
      router.push(userPath(await api.connect(username)));
      return null;
    } catch (thrown) {
      return blame(problemOf(thrown), { 409: "username" });
    }
  });

  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      <TextField
        name="username"
        label="username"
        hint="A new name, for example TestUser6."
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        error={form.errors.fields.username}
      />
      <Button type="submit" look="primary" className="w-full sm:w-auto" aria-disabled={form.busy}>
        connect
      </Button>
    </Form>
  );
}
