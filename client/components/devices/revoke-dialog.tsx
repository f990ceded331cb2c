"use client";

import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { PasswordField } from "@/components/ui/password-field";
import { problemOf } from "@/lib/api-error";
import { accountApi } from "@/lib/browser-api";
import { blame } from "@/lib/form-errors";
import { ownDevices } from "./use-own-devices";

/** Which devices are to be locked out. */
export type RevokeTarget =
  | { readonly is: "one"; readonly id: string; readonly name: string }
  | { readonly is: "others" };

const fields = ["password"] as const;

/** Locks devices out, once the password has shown that it is their owner who asks. */
export function RevokeDialog({ target, onClose }: { target: RevokeTarget; onClose: () => void }) {
  const form = useForm(fields, async ({ password }) => {
    const refused = await revoke(target, password).then(() => null, problemOf);
    if (refused) return blame(refused, { 401: "password", 403: "password" });
    await ownDevices.refresh();
    onClose();
    return null;
  });
  return (
    <Dialog title={titleOf(target)} onClose={onClose}>
      <p className="mb-4 text-muted text-sm">
        {target.is === "one" ? "It is" : "They are"} signed out at once, and what was kept there is removed.
        To come back, it has to be registered again.
      </p>
      <form ref={form.ref} noValidate onSubmit={form.onSubmit} className="space-y-2.5">
        {form.errors.form && <Notice tone="bad">{form.errors.form}</Notice>}
        <PasswordField
          name="password"
          label="your password"
          autoComplete="current-password"
          error={form.errors.fields.password}
        />
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="danger" aria-disabled={form.busy}>
            {target.is === "one" ? "revoke" : "revoke them"}
          </Button>
          <Button onClick={onClose}>cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function revoke(target: RevokeTarget, password: string): Promise<void> {
  switch (target.is) {
    case "one":
      return accountApi.revoke(target.id, password);
    case "others":
      return accountApi.revokeOthers(password);
  }
}

function titleOf(target: RevokeTarget): string {
  switch (target.is) {
    case "one":
      return `Revoke ${target.name}?`;
    case "others":
      return "Revoke all other devices?";
  }
}
