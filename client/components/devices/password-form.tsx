"use client";

import { useState } from "react";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { problemOf } from "@/lib/api-error";
import { accountApi } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";

const fields = ["current", "new", "confirmPassword"] as const;

/** Changes the account's password, which signs every other device out. */
export function PasswordForm() {
  const [done, setDone] = useState(false);
  const form = useForm(fields, async (values) => {
    setDone(false);
    if (values.new !== values.confirmPassword) {
      const errors = [{ field: "confirmPassword", message: "The two passwords differ." }];
      return { status: 0, code: "invalid", detail: "", errors };
    }
    const refused = await accountApi.changePassword(values.current, values.new).then(() => null, problemOf);
    if (refused) return blame(refused, { 403: "current" });
    form.ref.current?.reset();
    setDone(true);
    return null;
  });
  const errors = form.errors.fields;
  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      {done && <Notice tone="good">The password is changed. Every other device has to log in again.</Notice>}
      <PasswordField
        name="current"
        label="current password"
        autoComplete="current-password"
        error={errors.current}
      />
      <PasswordField name="new" label="new password" autoComplete="new-password" error={errors.new} />
      <PasswordField
        name="confirmPassword"
        label="confirm new password"
        autoComplete="new-password"
        error={errors.confirmPassword}
      />
      <Button type="submit" className="w-full" aria-disabled={form.busy}>
        change password
      </Button>
    </Form>
  );
}
