import { Notice } from "@/components/ui/notice";
import { statusWords } from "@/lib/status-words";
import type { Status } from "@/sync/types";

/** Why the connection ended for good, or is of no use. One that comes back by itself moves nothing on the page. */
export function StopNotice({ status }: { status: Status }) {
  const { detail } = statusWords(status, 0);
  if (!detail) return null;
  return (
    <div className="mb-5">
      <Notice tone="bad">{detail}</Notice>
    </div>
  );
}
