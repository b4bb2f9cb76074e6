<?php
// What Roundcube's plug-in does with scripts, by the library it does it with (Net_Sieve of PEAR).
// php net-sieve.php PORT USER CA <PASSWORD

require_once 'Net/Sieve.php';

const NAME = '振り分け & "休暇" \\ 一';
const SCRIPT = "\u{feff}require [\"fileinto\", \"mailbox\"];\r\n# 会議は別に\r\nfileinto :create \"会議/議事録\";\r\n";

[, $port, $user, $ca] = $argv;
$password = stream_get_contents(STDIN);
$trust = ['ssl' => ['cafile' => $ca, 'peer_name' => 'localhost']];

function told($what, $outcome)
{
    if ($outcome instanceof PEAR_Error) {
        fwrite(STDERR, $what . ': ' . $outcome->getMessage() . "\n");
        exit(1);
    }
    return $outcome;
}

function same($what, $found, $expected)
{
    if ($found === $expected) return;
    fwrite(STDERR, $what . ': ' . var_export($found, true) . ' is not ' . var_export($expected, true) . "\n");
    exit(1);
}

function refused($what, $outcome, $pattern)
{
    if ($outcome instanceof PEAR_Error && preg_match($pattern, $outcome->getMessage())) return;
    $found = $outcome instanceof PEAR_Error ? $outcome->getMessage() : var_export($outcome, true);
    fwrite(STDERR, $what . ': ' . $found . ' does not match ' . $pattern . "\n");
    exit(1);
}

function connected($port, $trust, $withTls = true)
{
    $sieve = new Net_Sieve();
    told('connect', $sieve->connect('localhost', $port, $trust, $withTls));
    return $sieve;
}

// Nobody is asked for a password outside TLS.
$plain = connected($port, $trust, false);
same('mechanisms before TLS', $plain->getAuthMechs(), []);
told('disconnect', $plain->disconnect());

$sieve = connected($port, $trust);
same('PLAIN inside TLS', $sieve->hasAuthMech('PLAIN'), true);
refused('a wrong password', $sieve->login($user, "$password "), '/Wrong user name or password/');
told('login', $sieve->login($user, $password, null, ''));
foreach (['vacation', 'fileinto', 'imap4flags', 'editheader', 'vnd.dovecot.none'] as $extension)
    same($extension, $sieve->hasExtension($extension), $extension !== 'vnd.dovecot.none');

same('no scripts', $sieve->listScripts($active), []);
told('space', $sieve->haveSpace(NAME, strlen(SCRIPT)));
refused('too much', $sieve->haveSpace(NAME, 1 << 30), '/QUOTA/');
told('put', $sieve->installScript(NAME, SCRIPT));
told('put and activate', $sieve->installScript('roundcube', "keep;\r\n", true));
$active = null;
$scripts = $sieve->listScripts($active);
sort($scripts);
same('scripts', $scripts, ['roundcube', NAME]);
same('the active one', $active, 'roundcube');
told('activate', $sieve->setActive(NAME));
same('the other is active', $sieve->getActive(), NAME);
// The library hands on the end of the line behind the literal.
same('the script', $sieve->getScript(NAME), SCRIPT . "\r\n");

refused('a wrong script', $sieve->installScript('悪', "keep;\r\nfilinto \"会議\";\r\n"), '/line 2: there is no command .*filinto/');
refused('no such script', $sieve->getScript('無い'), '/NONEXISTENT/');
refused('the active one stays', $sieve->removeScript(NAME), '/ACTIVE/');
told('deactivate', $sieve->setActive(''));
same('none is active', $sieve->getActive(), null);
told('remove', $sieve->removeScript(NAME));
told('remove', $sieve->removeScript('roundcube'));
same('none is left', $sieve->listScripts(), []);
told('disconnect', $sieve->disconnect());
echo "done\n";
