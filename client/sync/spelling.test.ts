// @vitest-environment node
import { expect, it } from "vitest";
import { Rig, self } from "./testing/rig";

// A user opened in another case had no buttons for its owner.
it("the name of the user is the server's, once it has answered", async () => {
  const rig = new Rig();
  await rig.start();
  expect(rig.snapshot.username).toBe("TestUser6");
  rig.socket.open();
  rig.socket.say({
    type: "welcome",
    session: "s",
    device: self,
    username: "TESTUSER6",
    epoch: "e",
    revision: 0,
  });
  expect(rig.snapshot.username).toBe("TESTUSER6");
});
