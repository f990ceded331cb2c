"use client";

import { type ChangeEvent, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { problemOf } from "@/lib/api-error";
import { historyApi } from "@/lib/browser-api";
import type { Step } from "@/lib/history-types";
import { saveFile } from "@/lib/save-file";
import { useSnapshot } from "@/sync";
import { ReviewDialog } from "./review-dialog";

/** The settings as a file: out of here, and back in after a look at what that would change. */
export function Transfer() {
  const username = useSnapshot((snapshot) => snapshot.username);
  const file = useRef<HTMLInputElement>(null);
  const [step, setStep] = useState<Step | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  const download = async () => {
    setFailure(null);
    try {
      saveFile(await historyApi.exported(username));
    } catch (thrown) {
      setFailure(problemOf(thrown).detail);
    }
  };

  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const input = event.currentTarget;
    const chosen = input.files?.[0];
    setFailure(null);
    if (!chosen) return;
    try {
      setStep(historyApi.importFrom(username, await chosen.text()));
    } catch {
      setFailure("This file could not be read.");
    }
    input.value = ""; // or the same file could not be chosen again
  };

  return (
    <div className="flex flex-wrap items-center gap-2 text-sm">
      <Button size="small" onClick={download}>
        export
      </Button>
      <Button size="small" onClick={() => file.current?.click()}>
        import
      </Button>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        aria-label="file to import"
        className="hidden"
        onChange={read}
      />
      <span className="text-muted text-xs">all settings, as a JSON file</span>
      {failure && (
        <p role="alert" className="w-full text-bad">
          {failure}
        </p>
      )}
      {step && (
        <ReviewDialog
          title="Import these settings?"
          action="import them"
          step={step}
          onClose={() => setStep(null)}
        />
      )}
    </div>
  );
}
