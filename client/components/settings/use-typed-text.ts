"use client";

import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import type { FieldView } from "@/sync/types";

/** After this long without a keystroke nobody is typing, even where the cursor still stands; in ms. */
const restMs = 5_000;

/** What the person is typing, and the stored revision they last saw while doing so. */
interface Draft {
  readonly text: string;
  readonly base: number;
  /** A part of it is under composition by an input method, so it was not passed on yet. */
  readonly composed: boolean;
}

/** What becomes of the text. */
export interface TypedTextActions {
  /** A text as it is typed; `whole`: it can be saved as it is. */
  readonly type: (text: string, whole: boolean) => void;
  /** A syllable is being composed: nothing is sent until it is done. */
  readonly compose: () => void;
  /** The person is done with what was typed. */
  readonly settle: () => void;
}

interface TypedText {
  /** What the box shows. */
  readonly value: string;
  /** A newer value of another device that was kept out of the box, or null. */
  readonly theirs: string | null;
  /** The box holds something that cannot be saved as it is. */
  readonly unsaved: boolean;
  /** The box holds something that is still being composed. */
  readonly composing: boolean;
  readonly onType: (text: string) => void;
  readonly onCompose: (is: "begun" | "done") => void;
  readonly onEnter: () => void;
  readonly onLeave: () => void;
  readonly takeTheirs: () => void;
}

/**
 * Text that others may change while it is being typed here. What is typed is never
 * replaced under the cursor: a newer value waits beside the box until the person
 * takes it, leaves the box, or types on (which makes theirs the older one). A box
 * whose text is saved and has rested follows the others again.
 */
export function useTypedText(
  view: FieldView,
  selfId: string,
  savable: (text: string) => boolean,
  actions: TypedTextActions,
): TypedText {
  const [draft, setDraft] = useState<Draft | null>(null);
  const lastKeyAt = useRef(0);
  const composing = useRef(false);
  /** The text of the box while it is under composition and not passed on yet. */
  const untold = useRef<string | null>(null);
  const shown = typeof view.value === "string" ? view.value : "";
  const unsaved = draft !== null && !draft.composed && !savable(draft.text);
  const theirs = draft !== null && shown !== draft.text && isTheirs(view, draft.base, selfId) ? shown : null;

  // Before the paint, so that the hint does not flash on a box that may follow.
  useLayoutEffect(() => {
    if (theirs !== null && !unsaved && Date.now() - lastKeyAt.current > restMs) setDraft(null);
  }, [theirs, unsaved]);

  const take = (text: string, composed: boolean) => {
    lastKeyAt.current = Date.now();
    setDraft({ text, base: view.stored?.revision ?? 0, composed });
    untold.current = composed ? text : null;
    if (composed) actions.compose();
    else actions.type(text, savable(text));
  };

  const finish = () => {
    composing.current = false;
    if (untold.current !== null) take(untold.current, false);
  };

  // A page that is hidden may never be seen again: what stands in the box is what was meant.
  const hide = useEffectEvent(() => {
    finish();
    actions.settle();
  });
  useEffect(() => {
    const hidden = () => document.visibilityState === "hidden" && hide();
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("pagehide", hide);
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("pagehide", hide);
    };
  }, []);

  return {
    value: draft?.text ?? shown,
    theirs,
    unsaved,
    composing: draft?.composed ?? false,
    onType: (text) => take(text, composing.current),
    onCompose: (is) => {
      if (is === "done") return finish();
      composing.current = true;
      actions.compose();
    },
    onEnter: () => {
      if (!composing.current) actions.settle();
    },
    onLeave: () => {
      const text = untold.current ?? draft?.text;
      finish();
      actions.settle();
      if (text === undefined || savable(text)) setDraft(null);
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
