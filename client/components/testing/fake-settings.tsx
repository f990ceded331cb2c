import { act } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { DefaultsContext } from "@/components/demo/defaults";
import { builtInDefaults } from "@/lib/schema-defaults";
import { SettingsContext } from "@/sync";
import type { SettingsClient, SettingsSnapshot } from "@/sync/types";

const quiet: SettingsSnapshot = {
  status: { state: "connected", transport: "websocket" },
  username: "TestUser6",
  device: { id: "d_1", name: "Chrome.test6" },
  epoch: "e",
  revision: 3,
  fields: {},
  devices: [],
  waiting: 0,
  receipts: null,
  needsConfirm: null,
  asking: [],
  repairs: 0,
};

/** A settings client that only shows what a test says. */
export class FakeSettings {
  private snapshot: SettingsSnapshot;
  private readonly listeners = new Set<() => void>();
  readonly client: SettingsClient;

  constructor(part: Partial<SettingsSnapshot> = {}) {
    this.snapshot = { ...quiet, ...part };
    this.client = {
      subscribe: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
      getSnapshot: () => this.snapshot,
      change: vi.fn(),
      compose: vi.fn(),
      settle: vi.fn(),
      preview: vi.fn(),
      reset: vi.fn(),
      focus: vi.fn(),
      resolve: vi.fn(),
      confirm: vi.fn(),
      reconnect: vi.fn(),
      stop: vi.fn(),
    };
  }

  /** Something changed, as the live connection would say. */
  show(part: Partial<SettingsSnapshot>): void {
    this.snapshot = { ...this.snapshot, ...part };
    act(() => {
      for (const listener of [...this.listeners]) listener();
    });
  }

  /** What is drawn below a page's provider. */
  readonly wrapper = ({ children }: { children: ReactNode }) => (
    <SettingsContext value={this.client}>
      <DefaultsContext value={builtInDefaults}>{children}</DefaultsContext>
    </SettingsContext>
  );
}
