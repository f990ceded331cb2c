"use client";

import { useLayoutEffect, useRef, useState } from "react";
import type { FieldView } from "@/sync/types";

/** After this long without a keystroke nobody is typing, even where the cursor still stands. */
const restMs = 5_000;

/** What the person is typing, and the stored revision they last saw while doing so. */
interface Draft {
  readonly text: string;
  readonly base: number;
}

interface TypedText {
  /** What the box shows. */
  readonly value: string;
  /** A newer value of another device that was kept out of the box, or null. */
  readonly theirs: string | null;
  /** The box holds something that cannot be saved as it is. */
  readonly unsaved: boolean;
  readonly onType: (text: string) => void;
  readonly onLeave: () => void;
  readonly takeTheirs: () => void;
}

/**
 * Text that others may change while it is being typed here. What is typed is never
 * replaced under the cursor: a newer value waits beside the box until the person
 * takes it, leaves the box, or types on (which makes theirs the older one). A box
 * whose text is saved and has rested follows the others again. `send` is told with
 * each keystroke whether the text can be saved as it is.
 */
export function useTypedText(
  view: FieldView,
  selfId: string,
  savable: (text: string) => boolean,
  send: (text: string, savable: boolean) => void,
): TypedText {
  const [draft, setDraft] = useState<Draft | null>(null);
  const lastKeyAt = useRef(0);
  const shown = typeof view.value === "string" ? view.value : "";
  const unsaved = draft !== null && !savable(draft.text);
  const theirs = draft !== null && shown !== draft.text && isTheirs(view, draft.base, selfId) ? shown : null;

  // Before the paint, so that the hint does not flash on a box that may follow.
  useLayoutEffect(() => {
    if (theirs !== null && !unsaved && Date.now() - lastKeyAt.current > restMs) setDraft(null);
  }, [theirs, unsaved]);

  return {
    value: draft?.text ?? shown,
    theirs,
    unsaved,
    onType: (text) => {
      lastKeyAt.current = Date.now();
      setDraft({ text, base: view.stored?.revision ?? 0 });
      send(text, savable(text));
    },
    onLeave: () => {
      if (!unsaved) setDraft(null);
    },
    takeTheirs: () => setDraft(null),
  };
}

/** Whether the view holds a value another device gave after `base`; a local edit hides it, as it will win. */
function isTheirs(view: FieldView, base: number, selfId: string): boolean {
  switch (view.origin) {
    case "local":
      return false;
    case "preview":
      return true;
    case "stored":
    case "default":
      return view.stored !== null && view.stored.revision > base && view.stored.device !== selfId;
  }
}
