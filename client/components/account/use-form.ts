"use client";

import { type FormEvent, type RefObject, useEffect, useRef, useState } from "react";
import { problemOf } from "@/lib/api-error";
import type { Problem } from "@/lib/auth-types";
import { type FormErrors, firstBad, formErrors, noErrors } from "@/lib/form-errors";

interface Form<Field extends string> {
  readonly ref: RefObject<HTMLFormElement | null>;
  readonly errors: FormErrors<Field>;
  readonly busy: boolean;
  readonly onSubmit: (event: FormEvent<HTMLFormElement>) => void;
}

/**
 * A native form: reads its fields on submit, puts a refusal beside the fields it
 * names, and moves the focus to the first of them. `submit` answers with a problem
 * or throws one; null means done. `fields` must be a constant.
 */
export function useForm<Field extends string>(
  fields: readonly Field[],
  submit: (values: Record<Field, string>) => Promise<Problem | null>,
): Form<Field> {
  const ref = useRef<HTMLFormElement>(null);
  const [errors, setErrors] = useState<FormErrors<Field>>(noErrors);
  const [busy, setBusy] = useState(false);

  // After the errors are drawn, so that a screen reader finds the one it is to read.
  useEffect(() => {
    const bad = firstBad(errors, fields);
    const input = bad && ref.current?.elements.namedItem(bad);
    if (input instanceof HTMLInputElement) input.focus();
  }, [errors, fields]);

  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const values = readFields(new FormData(event.currentTarget), fields);
    const problem = await submit(values).catch(problemOf);
    setErrors(problem ? formErrors(problem, fields) : noErrors);
    setBusy(false);
  };

  return { ref, errors, busy, onSubmit };
}

function readFields<Field extends string>(data: FormData, fields: readonly Field[]): Record<Field, string> {
  const values: Partial<Record<Field, string>> = {};
  for (const field of fields) values[field] = String(data.get(field) ?? "");
  return values as Record<Field, string>; // every field was just set
}
