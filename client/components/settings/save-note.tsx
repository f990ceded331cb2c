import { Icon } from "@/components/ui/icon";
import type { FieldView } from "@/sync/types";

interface SaveNoteProps {
  view: FieldView;
  /** This page has seen an edit of this field. */
  edited: boolean;
  /** The box holds text that cannot be saved as it is. */
  unsaved?: boolean;
  /** The box holds text that is still being composed. */
  composing?: boolean;
}

/** How safe a field's last edit is. "saved" comes only after the server said so. */
export function SaveNote({ view, edited, unsaved = false, composing = false }: SaveNoteProps) {
  if (unsaved) return <span className="text-warn">not saved yet: this is not a whole e-mail address</span>;
  if (composing) return <span className="text-muted">saving…</span>;
  switch (view.saving) {
    case "sending":
      return <span className="text-muted">saving…</span>;
    case "waiting":
      if (view.conflict) return null; // the choice below says it all
      return (
        <span className="inline-flex items-center gap-1 text-warn">
          <Icon name="clock" className="size-3.5" />
          <span>waiting</span>
        </span>
      );
    case "refused":
      return (
        <span role="alert" className="inline-flex items-center gap-1 text-bad">
          <Icon name="alert" className="size-3.5" />
          <span>{view.error ?? "not accepted by the server"}</span>
        </span>
      );
    case "saved":
      if (!edited) return null;
      return (
        <span className="inline-flex items-center gap-1 text-good">
          <Icon name="check" className="size-3.5" />
          <span>saved</span>
        </span>
      );
  }
}
