import type { Metadata } from "next";
import { DemoView } from "@/components/demo/demo-view";
import { Page } from "@/components/ui/page";

export const metadata: Metadata = { title: "Settings" };

export default function AppPage() {
  return (
    <Page>
      <h1 className="mb-2 font-semibold text-2xl tracking-tight">Social server | settings sync demo</h1>
      <DemoView />
    </Page>
  );
}
