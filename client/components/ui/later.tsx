"use client";

import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { ReloadNotice } from "./reload-notice";

interface LaterProps<P> {
  /** Imports the part. Called once, when the part is first shown. */
  load: () => Promise<ComponentType<P>>;
  /** Passed on to the part. */
  props: P;
  waiting?: ReactNode;
  /** Wraps the words shown when the part cannot be loaded. */
  frame?: (notice: ReactNode) => ReactNode;
}

/**
 * A part of the page that is loaded when it is first shown. By hand: a lazy component of React that
 * cannot be loaded replaces the whole page by an error. This one says so in its own place.
 */
export function Later<P extends object>({ load, props, waiting, frame = (notice) => notice }: LaterProps<P>) {
  const [part, setPart] = useState<ComponentType<P> | "failed" | null>(null);
  const [loadOnce] = useState(() => load);
  useEffect(() => {
    let shown = true;
    const show = (loaded: ComponentType<P> | "failed") => shown && setPart(() => loaded);
    loadOnce().then(show, () => show("failed"));
    return () => {
      shown = false;
    };
  }, [loadOnce]);
  if (part === null) return waiting;
  if (part === "failed") {
    return frame(
      <ReloadNotice>
        A part of the page could not be loaded: there is no connection, or the server was updated since this
        page was loaded. Reload it once there is a connection. Changes that were not sent are kept on this
        device.
      </ReloadNotice>,
    );
  }
  const Part = part;
  return <Part {...props} />;
}
