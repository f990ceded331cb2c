"use client";

import { HistoryPanel } from "@/components/history/history-panel";
import { AskCards } from "@/components/members/ask-cards";
import { Members } from "@/components/members/members";
import { Inspector } from "@/components/settings/inspector";
import { OldEdits } from "@/components/settings/old-edits";
import { ReceiptLine } from "@/components/settings/receipt-line";
import { BillingForm, UserForm } from "@/components/settings/setting-forms";
import { useConnection, usePresence, useSettingsClient, useSnapshot } from "@/sync";
import { DemoHeader } from "./demo-header";
import { DemoColumns, DemoSkeleton } from "./demo-layout";
import { StopNotice } from "./stop-notice";
import { useSpelling } from "./use-spelling";

/** The application: both forms, who is here, and how everything stands. */
export function Demo() {
  useSpelling();
  const client = useSettingsClient();
  const { status } = useConnection();
  const { devices } = usePresence();
  const unknown = useSnapshot((snapshot) => snapshot.epoch === null);
  const needed = useSnapshot((snapshot) => snapshot.needsConfirm);
  const barred = unknown && (status.state === "stopped" || status.state === "unreadable");

  // A default is shown only where the server has said that nothing was chosen.
  if (unknown && !barred) return <DemoSkeleton header={<DemoHeader />} />;
  return (
    <>
      <DemoHeader />
      <StopNotice status={status} />
      {!barred && (
        <DemoColumns
          main={
            <>
              {needed && <OldEdits needed={needed} onConfirm={client.confirm} />}
              <UserForm />
              <BillingForm />
              <ReceiptLine />
            </>
          }
          side={
            <>
              <AskCards />
              <Members devices={devices} live={status.state === "connected"} />
              <HistoryPanel />
              <Inspector />
            </>
          }
        />
      )}
    </>
  );
}
