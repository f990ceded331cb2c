"use client";

import { useSyncExternalStore } from "react";
import { Icon, type IconName } from "@/components/ui/icon";
import { chooseTheme, readTheme, subscribeTheme, type Theme } from "@/lib/theme";

const following: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const icons: Record<Theme, IconName> = { system: "screen", light: "sun", dark: "moon" };

/** Goes round system, light and dark. The page is built without knowing the choice, hence "system" there. */
export function ThemeSwitch() {
  const theme = useSyncExternalStore(subscribeTheme, readTheme, () => "system" as const);
  const label = `theme: ${theme}`;
  return (
    <button
      type="button"
      aria-label={label}
      title={`${label} (change to ${following[theme]})`}
      className="-mr-2.5 grid size-10 place-items-center rounded-field text-muted transition-colors hover:bg-line/50 hover:text-ink sm:size-9"
      onClick={() => chooseTheme(following[theme])}
    >
      <Icon name={icons[theme]} />
    </button>
  );
}
