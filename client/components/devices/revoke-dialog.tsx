"use client";

import { useRouter } from "next/navigation";
import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { problemOf } from "@/lib/api-error";
import { authSession } from "@/lib/auth-session";
import { accountApi } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { ownDevices } from "./use-own-devices";

/** Which devices are to be locked out, up to all of them with everything they share. */
export type RevokeTarget =
  | { readonly is: "one"; readonly id: string; readonly name: string }
  | { readonly is: "others" }
  | { readonly is: "account" };

const fields = ["password"] as const;

/** Locks devices out, once the password has shown that it is their owner who asks. */
export function RevokeDialog({ target, onClose }: { target: RevokeTarget; onClose: () => void }) {
  const router = useRouter();
  const form = useForm(fields, async ({ password }) => {
    const refused = await revoke(target, password).then(() => null, problemOf);
    if (refused) return blame(refused, { 401: "password", 403: "password" });
    if (target.is === "account") {
      await authSession.signOut();
      router.replace("/login");
      return null;
    }
    await ownDevices.refresh();
    onClose();
    return null;
  });
  const words = wordsOf(target);
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p className="mb-4 text-muted text-sm">{words.what}</p>
      <Form form={form} className="space-y-2.5">
        {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
        <PasswordField
          name="password"
          label="your password"
          autoComplete="current-password"
          error={form.errors.fields.password}
        />
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="danger" aria-disabled={form.busy}>
            {words.button}
          </Button>
          <Button onClick={onClose}>cancel</Button>
        </div>
      </Form>
    </Dialog>
  );
}

function revoke(target: RevokeTarget, password: string): Promise<void> {
  switch (target.is) {
    case "one":
      return accountApi.revoke(target.id, password);
    case "others":
      return accountApi.revokeOthers(password);
    case "account":
      return accountApi.deleteAccount(password);
  }
}

function wordsOf(target: RevokeTarget): { title: string; what: string; button: string } {
  const after =
    "signed out at once, and what was kept there is removed. To come back, it has to be registered again.";
  switch (target.is) {
    case "one":
      return { title: `Revoke ${target.name}?`, what: `It is ${after}`, button: "revoke" };
    case "others":
      return { title: "Revoke all other devices?", what: `They are ${after}`, button: "revoke them" };
    case "account":
      return {
        title: "Delete this account?",
        what: "Its devices, its users, their settings and their history are removed for good, for everyone who joined them.",
        button: "delete it",
      };
  }
}
