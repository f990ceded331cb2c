"use client";

import { useCallback, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { Skeleton } from "@/components/ui/skeleton";
import { problemOf } from "@/lib/api-error";
import type { Problem } from "@/lib/auth-types";
import type { Step, Trial } from "@/lib/history-types";
import { ChangeText } from "./change-text";

interface ReviewDialogProps {
  title: string;
  /** What the button says that takes the step. */
  action: string;
  /** Must stay the same object while it is looked at. */
  step: Step;
  onClose: () => void;
}

/** Shows what a step would change before it is taken, and takes exactly that. */
export function ReviewDialog({ title, action, step, onClose }: ReviewDialogProps) {
  const [trial, setTrial] = useState<Trial | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [stale, setStale] = useState(false);
  const [busy, setBusy] = useState(false);

  const look = useCallback(async () => {
    try {
      setTrial(await step.look());
    } catch (thrown) {
      setProblem(problemOf(thrown));
    }
  }, [step]);

  useEffect(() => {
    void look();
  }, [look]);

  const take = async () => {
    if (busy || !trial) return;
    setBusy(true);
    try {
      await step.take(trial);
      onClose();
    } catch (thrown) {
      const refused = problemOf(thrown);
      // Something else changed first: what was shown is not what would happen.
      if (refused.status === 412) {
        setStale(true);
        await look();
      } else setProblem(refused);
    }
    setBusy(false);
  };

  const nothing = trial?.changes.length === 0;
  return (
    <Dialog title={title} onClose={onClose}>
      {problem && <Refusal problem={problem} />}
      {!problem && !trial && <Skeleton className="h-24" />}
      {!problem && trial && (
        <>
          {stale && (
            <div className="mb-3">
              <Notice tone="warn">Something changed meanwhile. This is what it would do now.</Notice>
            </div>
          )}
          <p className="text-muted text-sm">{summary(trial.changes.length)}</p>
          <ul className="mt-1 divide-y divide-line">
            {trial.changes.map((change) => (
              <li key={change.field} className="py-2">
                <ChangeText change={change} />
              </li>
            ))}
          </ul>
        </>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        {!nothing && !problem && (
          <Button look="primary" aria-disabled={busy || !trial} onClick={take}>
            {action}
          </Button>
        )}
        <Button onClick={onClose}>{nothing || problem ? "close" : "cancel"}</Button>
      </div>
    </Dialog>
  );
}

/** The server's words, with the fields they are about. */
function Refusal({ problem }: { problem: Problem }) {
  return (
    <Notice tone="bad">
      {problem.errors.length === 0 && problem.detail}
      {problem.errors.map(({ field, message }) => (
        <span key={`${field} ${message}`} className="block">
          {field}: {message}
        </span>
      ))}
    </Notice>
  );
}

function summary(count: number): string {
  if (count === 0) return "Nothing would change: everything is like that already.";
  return count === 1 ? "One setting changes, on all devices:" : `${count} settings change, on all devices:`;
}
