"use client";

import { Page } from "@/components/ui/page";
import { ReloadNotice } from "@/components/ui/reload-notice";

/** Stands in for a page that cannot be drawn, or whose parts are gone because the server was updated. */
export default function PageError() {
  return (
    <Page>
      <h1 className="mb-2 font-semibold text-2xl tracking-tight">This page cannot be shown</h1>
      <ReloadNotice>
        The server may have been updated since this page was loaded. Changes that were not sent are kept on
        this device.
      </ReloadNotice>
    </Page>
  );
}
