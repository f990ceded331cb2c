"use client";

import { useState } from "react";
import { problemOf } from "@/lib/api-error";
import type { Moved, Undone } from "@/lib/history-types";

/** Where an undo stands. */
export type UndoState =
  | { readonly is: "idle" }
  | { readonly is: "asking" }
  | { readonly is: "done" }
  | { readonly is: "changed-since"; readonly moved: readonly Moved[] }
  | { readonly is: "failed"; readonly detail: string };

interface UndoRun {
  readonly state: UndoState;
  readonly run: (ask: () => Promise<Undone>) => Promise<void>;
}

/** Runs one undo at a time and keeps what came of it. */
export function useUndo(): UndoRun {
  const [state, setState] = useState<UndoState>({ is: "idle" });
  const run = async (ask: () => Promise<Undone>): Promise<void> => {
    if (state.is === "asking") return;
    setState({ is: "asking" });
    try {
      const undone = await ask();
      switch (undone.outcome) {
        case "done":
          return setState({ is: "done" });
        case "changed-since":
          return setState({ is: "changed-since", moved: undone.moved });
      }
    } catch (thrown) {
      setState({ is: "failed", detail: problemOf(thrown).detail });
    }
  };
  return { state, run };
}
