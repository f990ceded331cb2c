import type { Metadata } from "next";
import { AccountPage } from "@/components/account/account-page";
import { InvitationView } from "@/components/users/invitation-view";

export const metadata: Metadata = { title: "Invitation" };

export default function JoinPage() {
  return (
    <AccountPage
      title="Join by invitation"
      lead="The code lets this device see and change the settings of one user. It works once."
    >
      <InvitationView />
    </AccountPage>
  );
}
