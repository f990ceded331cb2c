"use client";

import { useRouter, useSearchParams } from "next/navigation";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { TextField } from "@/components/ui/text-field";
import { problemOf } from "@/lib/api-error";
import { membersApi } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { userPath } from "@/lib/next-path";

const fields = ["code"] as const;

/** Joins by a code that a member made. One that was scanned is filled in. */
export function InvitationForm() {
  const router = useRouter();
  const scanned = useSearchParams().get("code");
  const form = useForm(fields, async ({ code }) => {
    try {
      router.push(userPath(await membersApi.accept(code)));
      return null;
    } catch (thrown) {
      return blame(problemOf(thrown), { 404: "code", 422: "code" });
    }
  });
  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      <TextField
        name="code"
        label="invitation code"
        hint="Eight letters, as in BCDF-GHJK."
        className="uppercase placeholder:normal-case"
        autoComplete="one-time-code"
        autoCapitalize="characters"
        spellCheck={false}
        defaultValue={scanned ?? ""}
        error={form.errors.fields.code}
      />
      <Button type="submit" aria-disabled={form.busy}>
        use the code
      </Button>
    </Form>
  );
}
