# SPDX-License-Identifier: GPL-2.0
#
# fish completion for wgpeer(8)

function __wgpeer_interfaces
    wgpeer show interfaces 2>/dev/null | string split ' '
    for file in /etc/wireguard/*.conf
        basename $file .conf
    end
end

function __wgpeer_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]
    or return 1
    test (count $argv) -lt 2; and return 0
    test (count $words) -ge 3; and contains -- "$words[3]" $argv[2..-1]
end

function __wgpeer_wants_verb
    test (count (commandline -opc)) = 1
end

function __wgpeer_wants_sub
    set -l words (commandline -opc)
    test (count $words) = 2; and test "$words[2]" = $argv[1]
end

set -l verbs show showconf set setconf addconf syncconf genkey genpsk pubkey up down apply status save strip export server client site
complete -c wgpeer -f
complete -c wgpeer -n __wgpeer_wants_verb -a "$verbs help version"
complete -c wgpeer -n '__wgpeer_wants_sub help' -a "$verbs"
complete -c wgpeer -n '__wgpeer_wants_sub server' -a 'init add list export remove rename rotate'
complete -c wgpeer -n '__wgpeer_wants_sub client' -a 'join new leave'
complete -c wgpeer -n '__wgpeer_wants_sub site' -a 'init join add token list remove'
for verb in show showconf set setconf addconf syncconf up down apply status save strip export
    complete -c wgpeer -n "__wgpeer_wants_sub $verb" -a '(__wgpeer_interfaces)'
end
for verb in up down apply status save strip export server client site
    complete -c wgpeer -n "__wgpeer_is $verb" -l config-dir -r -d 'Where files are'
end
for verb in up down apply
    complete -c wgpeer -n "__wgpeer_is $verb" -l dry-run -d 'Only say what'
end
complete -c wgpeer -n '__wgpeer_is status' -l json
for verb in server site
    complete -c wgpeer -n "__wgpeer_is $verb list" -l json
end
for cond in '__wgpeer_is server add export rotate' '__wgpeer_is export'
    complete -c wgpeer -n $cond -l format -x -a 'wg-quick networkd nm uci json'
    complete -c wgpeer -n $cond -l qr -d 'Show a QR code'
end
complete -c wgpeer -n '__wgpeer_is server add export rotate' -l output -r -F
complete -c wgpeer -n '__wgpeer_is server init add' -l address -x
complete -c wgpeer -n '__wgpeer_is server init add export rotate' -l dns -x
complete -c wgpeer -n '__wgpeer_is server init add' -l exit
for option in port endpoint share
    complete -c wgpeer -n '__wgpeer_is server init' -l $option -x
end
complete -c wgpeer -n '__wgpeer_is server init' -l firewall -x -a 'nft print none'
complete -c wgpeer -n '__wgpeer_is server init' -l no-exit
complete -c wgpeer -n '__wgpeer_is server init' -l isolate
complete -c wgpeer -n '__wgpeer_is server init' -l no-isolate
complete -c wgpeer -n '__wgpeer_is server init' -l no-up
for option in split psk
    complete -c wgpeer -n '__wgpeer_is server add' -l $option
end
complete -c wgpeer -n '__wgpeer_is server add rotate' -l keep-key
complete -c wgpeer -n '__wgpeer_is server add rotate' -l public-key -x
complete -c wgpeer -n '__wgpeer_is server rotate' -l now
complete -c wgpeer -n '__wgpeer_is server rotate' -l finish
complete -c wgpeer -n '__wgpeer_is client join' -F
complete -c wgpeer -n '__wgpeer_is client join' -l dns -x -a 'auto resolved resolvconf dnsmasq none'
complete -c wgpeer -n '__wgpeer_is client join' -l keepalive -x
complete -c wgpeer -n '__wgpeer_is client join' -l kill-switch
complete -c wgpeer -n '__wgpeer_is client join' -l no-kill-switch
complete -c wgpeer -n '__wgpeer_is client join' -l kill-switch-except -x
complete -c wgpeer -n '__wgpeer_is client join' -l allow-hooks
complete -c wgpeer -n '__wgpeer_is client join new' -l no-up
for option in share endpoint port name address
    complete -c wgpeer -n '__wgpeer_is site init join' -l $option -x
end
complete -c wgpeer -n '__wgpeer_is site init join' -l no-up
for option in hub routed one-paste
    complete -c wgpeer -n '__wgpeer_is site init' -l $option
end
complete -c wgpeer -n '__wgpeer_is site init' -l peer-share -x
complete -c wgpeer -n '__wgpeer_is site init' -l peer-name -x
