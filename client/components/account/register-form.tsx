"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { TextField } from "@/components/ui/text-field";
import { problemOf } from "@/lib/api-error";
import { api } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { Form } from "./form";
import { useForm } from "./use-form";

const fields = ["deviceName", "email", "password", "confirmPassword"] as const;

/**
 * Registers a device. Only what the server cannot know, that both passwords are
 * the same, is checked here; every other rule and its words are the server's.
 */
export function RegisterForm() {
  const router = useRouter();
  const form = useForm(fields, async ({ confirmPassword, ...device }) => {
    if (device.password !== confirmPassword) {
      const errors = [{ field: "confirmPassword", message: "The two passwords differ." }];
      return { status: 0, code: "invalid", detail: "", errors };
    }
    try {
      const { name } = await api.register(device); // as the server spells it
      router.push(`/login?registered=${encodeURIComponent(name)}`);
      return null;
    } catch (thrown) {
      return blame(problemOf(thrown), { 401: "password", 409: "deviceName" });
    }
  });
  const errors = form.errors.fields;

  return (
    <Form form={form} className="space-y-2.5">
      {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
      <TextField
        name="deviceName"
        label="deviceName"
        hint="For example Chrome.laptop. You log in with it."
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        error={errors.deviceName}
      />
      <TextField
        name="email"
        label="email"
        type="email"
        autoComplete="email"
        hint="The same on all your devices."
        error={errors.email}
      />
      <PasswordField name="password" label="password" autoComplete="new-password" error={errors.password} />
      <PasswordField
        name="confirmPassword"
        label="confirm password"
        autoComplete="new-password"
        error={errors.confirmPassword}
      />
      <Button type="submit" look="primary" className="w-full" aria-disabled={form.busy}>
        Sign Up
      </Button>
      <p className="pt-3 text-center text-muted text-sm">
        Registered already?{" "}
        <Link href="/login" className="font-medium text-accent underline-offset-4 hover:underline">
          Log in
        </Link>
      </p>
    </Form>
  );
}
