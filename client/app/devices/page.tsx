import type { Metadata } from "next";
import { DevicesView } from "@/components/devices/devices-view";
import { Page } from "@/components/ui/page";

export const metadata: Metadata = { title: "Devices" };

export default function DevicesPage() {
  return (
    <Page>
      <h1 className="font-semibold text-2xl tracking-tight">Your devices</h1>
      <p className="mt-1.5 mb-6 max-w-2xl text-muted">
        Everything that may log in to this account. A device that is lost or not yours can be locked out here.
      </p>
      <DevicesView />
    </Page>
  );
}
