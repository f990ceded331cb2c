"use client";

import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { Icon } from "./icon";

interface DialogProps {
  title: string;
  /** Escape, the cross, or the page taking it away. */
  onClose: () => void;
  children: ReactNode;
}

/**
 * A native modal dialog, open for as long as it is drawn: the browser keeps the
 * focus in it and gives it back afterwards, with no style element for the CSP to allow.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);

  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      className="m-auto max-h-[calc(100dvh-2rem)] w-[min(30rem,calc(100vw-2rem))] overflow-y-auto rounded-card border border-line bg-surface p-5 text-ink shadow-card backdrop:bg-black/45 sm:p-6"
      onClose={() => {
        // A strict development build opens it twice, and tells of the first end while it is open.
        if (!ref.current?.open) onClose();
      }}
    >
      <h2 id={titleId} className="mb-3 pr-9 font-semibold text-lg leading-6 tracking-tight">
        {title}
      </h2>
      {children}
      {/* Last, so that what the dialog is about has the focus first. */}
      <button
        type="button"
        aria-label="close"
        className="absolute top-3.5 right-3.5 grid size-9 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink"
        onClick={() => ref.current?.close()}
      >
        <Icon name="cross" />
      </button>
    </dialog>
  );
}
