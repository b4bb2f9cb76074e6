/**
 * The administrator's script that runs before a user's own: mail goes where its class says.
 * It stops where it has filed, so that a user's script sees clean mail only.
 */
export const DEFAULT_SCRIPT = `require ["fileinto", "mailbox", "spamtest", "relational",
  "comparator-i;ascii-numeric"];

if spamtest :value "ge" :comparator "i;ascii-numeric" "9" {
  fileinto :create "Junk/SPAM";
} elsif spamtest :value "ge" :comparator "i;ascii-numeric" "5" {
  fileinto :create "Junk/Suspected SPAM";
}
`
