"use client";

import { Form } from "@/components/account/form";
import { useForm } from "@/components/account/use-form";
import { Button } from "@/components/ui/button";
import { inputClass } from "@/components/ui/text-field";
import type { OwnDevice } from "@/lib/account-shapes";
import { problemOf } from "@/lib/api-error";
import { accountApi } from "@/lib/browser-api";
import { classNames } from "@/lib/class-names";
import { blame } from "@/lib/form-errors";
import { ownDevices } from "./use-own-devices";

const fields = ["name"] as const;

/** Another name for a device, in place of the old one. It logs in with it from now on. */
export function RenameForm({ device, onDone }: { device: OwnDevice; onDone: () => void }) {
  const form = useForm(fields, async ({ name }) => {
    if (name !== device.name) {
      const refused = await accountApi.rename(device.id, name).then(() => null, problemOf);
      if (refused) return blame(refused, { 409: "name" });
      await ownDevices.refresh();
    }
    onDone();
    return null;
  });
  const error = form.errors.fields.name ?? form.errors.form;
  const inputId = `name-of-${device.id}`;
  return (
    <Form form={form} onEscape={onDone}>
      <label htmlFor={inputId} className="sr-only">
        new name of {device.name}
      </label>
      <div className="flex flex-wrap gap-2">
        <input
          id={inputId}
          name="name"
          // biome-ignore lint/a11y/noAutofocus: the person has just asked to type here
          autoFocus
          className={classNames(inputClass, "min-h-9 min-w-0 flex-1 basis-40 sm:min-h-9")}
          defaultValue={device.name}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${inputId}-note` : undefined}
        />
        <Button type="submit" size="small" aria-disabled={form.busy}>
          save
        </Button>
        <Button size="small" look="quiet" onClick={onDone}>
          cancel
        </Button>
      </div>
      {error && (
        <p id={`${inputId}-note`} role="alert" className="mt-1 text-bad text-sm">
          {error}
        </p>
      )}
    </Form>
  );
}
