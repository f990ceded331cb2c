import type { ReactNode } from "react";
import type { useForm } from "./use-form";

interface FormProps {
  form: Pick<ReturnType<typeof useForm>, "ref" | "onSubmit">;
  className?: string;
  onEscape?: () => void;
  children: ReactNode;
}

/**
 * The only form element of the client. A browser that submits it without the script sends a
 * POST, which the server answers with the page: nothing typed ends up in an address.
 */
export function Form({ form, className, onEscape, children }: FormProps) {
  return (
    <form
      ref={form.ref}
      method="post"
      noValidate
      className={className}
      onSubmit={form.onSubmit}
      onKeyDown={(event) => {
        if (event.key === "Escape") onEscape?.();
      }}
    >
      {children}
    </form>
  );
}
