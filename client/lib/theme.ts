import { notes } from "@/sync/browser-storage";

/** What the person chose in the header; "system" follows the device. */
export type Theme = "system" | "light" | "dark";

/** Also read by public/theme.js, before the first paint. */
const storageKey = "theme";

const listeners = new Set<() => void>();

/** The remembered choice. */
export function readTheme(): Theme {
  const stored = notes.read(storageKey);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Applies and remembers a choice, and tells whoever shows it. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  notes.write(storageKey, theme === "system" ? null : theme);
  for (const listener of listeners) listener();
}

/** Follows the choice, in this tab and in others; returns its undo. */
export function subscribeTheme(listener: () => void): () => void {
  const fromOtherTab = (event: StorageEvent) => {
    if (event.key !== storageKey && event.key !== null) return;
    applyTheme(readTheme());
    listener();
  };
  listeners.add(listener);
  window.addEventListener("storage", fromOtherTab);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", fromOtherTab);
  };
}

function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
