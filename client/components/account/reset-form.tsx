"use client";

import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { TextField } from "@/components/ui/text-field";
import { problemOf } from "@/lib/api-error";
import { accountApi } from "@/lib/browser-api";
import { Form } from "./form";
import { useForm } from "./use-form";

const fields = ["code", "password", "confirmPassword"] as const;

/** Sets a new password with the administrator's code. Every device then logs in anew. */
export function ResetForm() {
  const [done, setDone] = useState(false);
  const form = useForm(fields, async ({ code, password, confirmPassword }) => {
    if (password !== confirmPassword) {
      const errors = [{ field: "confirmPassword", message: "The two passwords differ." }];
      return { status: 0, code: "invalid", detail: "", errors };
    }
    const refused = await accountApi.resetPassword(code, password).then(() => null, problemOf);
    if (!refused) setDone(true);
    return refused;
  });
  const errors = form.errors.fields;

  if (done) {
    return (
      <div className="space-y-4">
        <Notice tone="good">The password is set. Every device of the account logs in anew with it.</Notice>
        <ToLogin />
      </div>
    );
  }
  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      <TextField
        name="code"
        label="code"
        autoComplete="one-time-code"
        autoCapitalize="characters"
        spellCheck={false}
        error={errors.code}
      />
      <PasswordField
        name="password"
        label="new password"
        autoComplete="new-password"
        error={errors.password}
      />
      <PasswordField
        name="confirmPassword"
        label="confirm new password"
        autoComplete="new-password"
        error={errors.confirmPassword}
      />
      <Button type="submit" look="primary" className="w-full" aria-disabled={form.busy}>
        Set password
      </Button>
      <div className="pt-3">
        <ToLogin />
      </div>
    </Form>
  );
}

function ToLogin() {
  return (
    <p className="text-center text-muted text-sm">
      <Link href="/login" className="font-medium text-accent underline-offset-4 hover:underline">
        Log in
      </Link>
    </p>
  );
}
