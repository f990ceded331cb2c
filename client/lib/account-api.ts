import {
  type AuditPage,
  auditShape,
  type OwnDevice,
  ownDeviceShape,
  ownDevicesShape,
} from "./account-shapes";
import { answer, type Calls } from "./api-call";

/** The calls about this device's account. */
export interface AccountApi {
  /** GET /devices: all devices of the account. */
  readonly devices: () => Promise<readonly OwnDevice[]>;
  /** PATCH /devices/{id}: another name, which is also its log-in. */
  readonly rename: (id: string, name: string) => Promise<OwnDevice>;
  /** Locks a device out, for good. The password proves that its owner asks. */
  readonly revoke: (id: string, password: string) => Promise<void>;
  /** Locks every device out but this one. */
  readonly revokeOthers: (password: string) => Promise<void>;
  /** DELETE /account: everything in it is removed, for good. */
  readonly deleteAccount: (password: string) => Promise<void>;
  /** POST /password: every other log-in of the account ends. */
  readonly changePassword: (current: string, next: string) => Promise<void>;
  /** POST /reset: a new password, with the code of whoever runs the server. */
  readonly resetPassword: (code: string, password: string) => Promise<void>;
  /** GET /audit: what happened in the account, newest first. */
  readonly audit: (before?: number) => Promise<AuditPage>;
}

const auditPage = 30;

/** The account calls. */
export function createAccountApi({ open, signed }: Calls): AccountApi {
  const device = (id: string) => `/devices/${encodeURIComponent(id)}`;
  return {
    devices: async () =>
      (await answer(await signed({ method: "GET", path: "/devices" }), ownDevicesShape)).devices,
    rename: async (id, name) =>
      answer(await signed({ method: "PATCH", path: device(id), body: { name } }), ownDeviceShape),
    revoke: async (id, password) => {
      await signed({ method: "DELETE", path: device(id), body: { password } });
    },
    revokeOthers: async (password) => {
      await signed({ method: "POST", path: "/devices/revoke-others", body: { password } });
    },
    deleteAccount: async (password) => {
      await signed({ method: "DELETE", path: "/account", body: { password } });
    },
    changePassword: async (current, next) => {
      await signed({ method: "POST", path: "/password", body: { current, new: next } });
    },
    resetPassword: async (code, password) => {
      await open({ method: "POST", path: "/reset", body: { code, password } });
    },
    audit: async (before) => {
      const query = before ? `&before=${before}` : "";
      return answer(await signed({ method: "GET", path: `/audit?limit=${auditPage}${query}` }), auditShape);
    },
  };
}
