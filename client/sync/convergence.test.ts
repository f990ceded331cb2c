// @vitest-environment node
import { describe, expect, it } from "vitest";
import { memoryStorage } from "./browser-storage";
import { LiveSettings } from "./settings-client";
import { FakeClock, FakeEnvironment, seeded } from "./testing/fake-clock";
import { ModelServer } from "./testing/model-server";
import { defaults, FakeTokens } from "./testing/rig";
import type { FieldName, SettingsSnapshot, StoredValue } from "./types";
import { webSocketLinks } from "./websocket-link";

const fields: readonly FieldName[] = [
  "user.username",
  "user.email",
  "billing.period",
  "billing.salary",
  "extra.free",
];

/** One device through all its pages: its storage stays, its client is replaced by a reload. */
class Device {
  readonly storage = memoryStorage();
  readonly tokens = new FakeTokens();
  client: LiveSettings;
  env: FakeEnvironment;
  private pages = 0;

  constructor(
    readonly id: string,
    private readonly server: ModelServer,
    private readonly clock: FakeClock,
    private readonly random: () => number,
  ) {
    [this.client, this.env] = this.open();
  }

  readonly reload = async (): Promise<void> => {
    this.client.stop();
    await this.client.written();
    [this.client, this.env] = this.open();
  };

  private open(): [LiveSettings, FakeEnvironment] {
    const env = new FakeEnvironment(this.clock, this.random, `${this.id}-${++this.pages}-`);
    const client = new LiveSettings({
      username: "u",
      device: { id: this.id, name: this.id },
      defaults,
      tokens: this.tokens,
      openLink: webSocketLinks("ws://model", this.server.socketsOf(this.id)),
      storage: this.storage,
      env,
    });
    void client.start();
    return [client, env];
  }
}

function entriesOf({ fields: views }: SettingsSnapshot): Map<FieldName, StoredValue> {
  const entries = new Map<FieldName, StoredValue>();
  for (const field of fields) {
    const stored = views[field]?.stored;
    if (stored) entries.set(field, stored);
  }
  return entries;
}

/** Everyone is online, nobody edits, and whoever is asked answers. */
async function calm(devices: readonly Device[], server: ModelServer, clock: FakeClock, pick: () => number) {
  server.up = true;
  server.trouble = 0;
  server.loss = 0;
  for (const device of devices) device.tokens.unreachable = false;
  for (let i = 0; i < 12; i++) {
    for (const { client } of devices) {
      if (client.getSnapshot().needsConfirm) client.confirm(pick() < 0.5);
      for (const field of fields) {
        if (client.getSnapshot().fields[field]?.conflict)
          client.resolve(field, pick() < 0.5 ? "mine" : "theirs");
      }
    }
    await clock.advance(10_000);
    server.pingAll();
  }
  await clock.advance(10_000);
}

/** One whole life of one user, told by `seed` alone. */
async function live(seed: number, steps: number) {
  const random = seeded(seed);
  const clock = new FakeClock();
  const server = new ModelServer(clock, random);
  server.trouble = random() * 0.3;
  server.loss = random() * 0.2;
  const count = 2 + Math.floor(random() * 4);
  const devices = Array.from({ length: count }, (_, i) => new Device(`d_${i}`, server, clock, random));
  await clock.advance(2000);
  let backup = server.backup();
  let epochs = 1;

  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  for (let step = 0; step < steps; step++) {
    const device = one(devices);
    const { client } = device;
    const field = one(fields);
    const chance = random();
    if (chance < 0.5) client.change(field, `${seed}.${step}`);
    else if (chance < 0.58) client.reset(field);
    else if (chance < 0.68) client.preview(field, `drag ${step}`);
    else if (chance < 0.76) server.cutAll(1006, device.id);
    else if (chance < 0.8) device.tokens.unreachable = !device.tokens.unreachable;
    else if (chance < 0.84) server.up = !server.up;
    else if (chance < 0.87) await device.reload();
    else if (chance < 0.9) server.pingAll();
    else if (chance < 0.92) backup = server.backup();
    else if (chance < 0.925) server.restore(backup, `e${++epochs}`);
    else if (chance < 0.95) device.env.wake();
    else if (client.getSnapshot().fields[field]?.conflict)
      client.resolve(field, random() < 0.5 ? "mine" : "theirs");
    await clock.advance(random() ** 4 * 20_000);
  }
  await calm(devices, server, clock, random);
  return { server, devices };
}

function expectEqual({ server, devices }: Awaited<ReturnType<typeof live>>, seed: number) {
  for (const { client, id } of devices) {
    const snapshot = client.getSnapshot();
    const where = `seed ${seed}, ${id}`;
    expect(snapshot.status.state, where).toBe("connected");
    expect(snapshot.waiting, where).toBe(0);
    expect([snapshot.epoch, snapshot.revision], where).toEqual([server.epoch, server.revision]);
    expect(server.equals(entriesOf(snapshot)), where).toBe(true);
    for (const field of fields) {
      const view = snapshot.fields[field];
      expect(view?.saving ?? "saved", `${where}, ${field}`).toBe("saved");
      expect(view?.origin ?? "default", `${where}, ${field}`).not.toBe("local");
    }
  }
}

describe("convergence", () => {
  const printed = Number(process.env.SYNC_SEED ?? Date.now() % 1_000_000);
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...Array.from({ length: 10 }, (_, i) => printed + i)];

  it.each(seeds)("[I5] seed %i: whatever happens, all devices end equal to the server", async (seed) => {
    expectEqual(await live(seed, 150), seed);
  });

  it("[I1] a hundred restarts of everything without an edit store nothing", async () => {
    const clock = new FakeClock();
    const random = seeded(7);
    const server = new ModelServer(clock, random);
    const devices = [1, 2, 3].map((i) => new Device(`d_${i}`, server, clock, random));
    for (let i = 0; i < 100; i++) {
      server.cutAll(random() < 0.5 ? 1006 : 4000);
      if (random() < 0.3) await devices[i % 3]?.reload();
      await clock.advance(random() * 3000);
    }
    await calm(devices, server, clock, random);
    expect(server.patchesStored).toBe(0);
  });
});
