# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# The examples of helpers/deploy are read by the tools that they are for, and their sums hold.

load lib/fluxshim

setup() {
    fluxshim_setup
    deploy=$BATS_TEST_DIRNAME/../helpers/deploy
}

teardown() {
    fluxshim_teardown
}

# systemd -----------------------------------------------------------------------------------------

# unit_with DROP_IN TYPE: leaves a service in $work/units that is started with the drop-in.
unit_with() {
    mkdir -p "$work/units/server.service.d"
    cp "$deploy/systemd/$1" "$work/units/server.service.d/fluxshim.conf"
    printf '%s\n' '[Unit]' 'Description=A server' '[Service]' "Type=$2" 'ExecStart=/bin/sleep 60' \
        >"$work/units/server.service"
}

expect_verified() { # UNIT
    local said status=0

    command -v systemd-analyze >/dev/null || skip "systemd-analyze is not installed"
    said=$(SYSTEMD_UNIT_PATH=$work/units: systemd-analyze verify --man=no "$work/units/$1" 2>&1 3>&-) ||
        status=$?
    expect_equal "systemd-analyze" "$(grep -F "$work" <<<"$said" || :)" "" &&
        expect_equal "its status ($said)" "$status" 0
}

# seconds NAME FILE: the value of FLUX_NAME in a drop-in.
seconds() {
    grep -o "$1=[0-9]*s" "$2" | grep -o '[0-9]*'
}

@test "systemd: the drop-ins and the service of fluxctl verify" {
    unit_with simple.conf simple
    expect_verified server.service
    unit_with notify.conf notify
    expect_verified server.service
    sed "s|/usr/bin/fluxctl|$BUILD/fluxctl|" "$deploy/systemd/fluxctl-metrics.service" \
        >"$work/units/fluxctl-metrics.service"
    expect_verified fluxctl-metrics.service
}

@test "systemd: an example that is spoiled does not verify" {
    unit_with simple.conf simple
    sed -i 's/KillMode=mixed/KillMode=mixd/' "$work/units/server.service.d/fluxshim.conf"
    run expect_verified server.service
    expect_match "the test of the test" "$status$output" '^1.*kill mode'
}

@test "systemd: SIGKILL comes after FLUX_SHUTDOWN_TIMEOUT, and that after the drain" {
    local file=$deploy/systemd/simple.conf

    [ "$(sed -n 's/^TimeoutStopSec=//p' "$file")" -gt "$(seconds FLUX_SHUTDOWN_TIMEOUT "$file")" ]
    [ "$(seconds FLUX_SHUTDOWN_TIMEOUT "$file")" -gt "$(seconds FLUX_DRAIN_TIMEOUT "$file")" ]
}

@test "systemd: the settings of the drop-ins are taken by the library" {
    local file line

    for file in simple notify; do
        mapfile -t settings < <(sed -n 's/^Environment=//p' "$deploy/systemd/$file.conf" | tr ' ' '\n' |
            grep '^FLUX_' | sed "s|/var/lib/%p|$work|; s|/run/%p|$work/run|; s/=info$/=warn/")
        mkdir -p "$work/run"
        start_program shimmed env "${settings[@]}" "$SERVERS/epoll"
        wait_until_ready
        stop_and_wait
        expect_equal "$file: what is said against them" "$(cat "$server_err")" ""
        expect_equal "exit status" "$exit_status" 143
        rm -f "$work"/fluxshim.json*
    done
}

# Kubernetes --------------------------------------------------------------------------------------

@test "Kubernetes: the objects are whole, and the sum of the grace period holds" {
    /usr/bin/python3 - "$deploy/kubernetes/server.yaml" <<'END'
import sys, yaml

objects = list(yaml.safe_load_all(open(sys.argv[1])))
kinds = {one["kind"]: one for one in objects}
assert [(one["apiVersion"], one["kind"]) for one in objects] == [
    ("apps/v1", "Deployment"), ("v1", "Service"), ("policy/v1", "PodDisruptionBudget")], objects
deployment = kinds["Deployment"]["spec"]
pod = deployment["template"]["spec"]
labels = deployment["template"]["metadata"]["labels"]
for selector in (deployment["selector"]["matchLabels"], kinds["Service"]["spec"]["selector"],
                 kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]):
    assert selector.items() <= labels.items(), selector
volumes = {volume["name"] for volume in pod["volumes"]}
for container in pod["initContainers"] + pod["containers"]:
    assert container["image"] and container["command"], container
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes, container
server = pod["containers"][0]
ports = {port["name"]: port["containerPort"] for port in server["ports"]}
assert kinds["Service"]["spec"]["ports"][0]["targetPort"] in ports
assert server["readinessProbe"]["httpGet"]["port"] in ports
env = {one["name"]: one["value"] for one in server["env"]}
seconds = {name: int(value[:-1]) for name, value in env.items() if value[-1:] == "s" and value[:-1].isdigit()}
assert "lifecycle" not in server, "a preStop sleep and a lame duck would be waited for both"
assert (pod["terminationGracePeriodSeconds"] > seconds["FLUX_SHUTDOWN_TIMEOUT"] >
        seconds["FLUX_LAME_DUCK"] + seconds["FLUX_DRAIN_TIMEOUT"] + 1), seconds
paths = {mount["mountPath"] for mount in server["volumeMounts"]}
assert any(env["LD_PRELOAD"].startswith(path + "/") for path in paths), env
assert any(env["FLUX_RUN_DIR"].startswith(path + "/") for path in paths), env
END
}

# The volume is an emptyDir, which everybody may write to: the library makes a folder of its own in it.
@test "Kubernetes: a run folder within a volume that all may write to" {
    mkdir -m 1777 "$work/volume"
    FLUX_RUN_DIR=$work/volume/server start_server shimmed epoll
    expect_equal "families" "$("$BUILD/fluxctl" list -q --run-dir "$work/volume/server" 3>&-)" "$server_pid"
    stop_and_wait
    expect_equal "errors" "$(cat "$server_err")" ""
}

# Docker --------------------------------------------------------------------------------------------

@test "Docker: what is copied is there, the server gets the signal itself, and the sum holds" {
    /usr/bin/python3 - "$deploy/docker" <<'END'
import json, os, re, sys, yaml

folder = sys.argv[1]
text = re.sub(r"\\\n", " ", open(os.path.join(folder, "Dockerfile")).read())
steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
known = {"FROM", "RUN", "COPY", "ENV", "STOPSIGNAL", "CMD"}
assert {step for step, _ in steps} == known, steps
stages = [words.split()[2] for step, words in steps if step == "FROM" and " AS " in words]
for step, words in steps:
    if step == "COPY" and words.startswith("--from="):
        assert words[len("--from="):].split()[0] in stages, words
command = json.loads([words for step, words in steps if step == "CMD"][-1])
assert command[0].startswith("/") and command[0] != "/bin/sh", command
assert [words for step, words in steps if step == "STOPSIGNAL"] == ["SIGTERM"]
env = dict(part.split("=", 1) for step, words in steps if step == "ENV" for part in words.split())
compose = yaml.safe_load(open(os.path.join(folder, "compose.yaml")))["services"]["server"]
root = os.path.join(folder, compose["build"]["context"])
assert os.path.samefile(os.path.join(root, compose["build"]["dockerfile"]), os.path.join(folder, "Dockerfile"))
assert os.path.exists(os.path.join(root, "Makefile"))
grace, shutdown = compose["stop_grace_period"], env["FLUX_SHUTDOWN_TIMEOUT"]
assert int(grace[:-1]) > int(shutdown[:-1]) > int(env["FLUX_DRAIN_TIMEOUT"][:-1]), (grace, shutdown)
assert compose["environment"]["FLUX_SHUTDOWN_TIMEOUT"] == shutdown
END
}

# What the Dockerfile copies into the second stage is all that a server needs there, as PID 1.
@test "Docker: its layout, with the server as PID 1 of a namespace of its own" {
    [ "$(id -u)" = 0 ] || skip "a namespace of processes needs root"
    make -s -C "$BATS_TEST_DIRNAME/.." BUILD="$BUILD" install PREFIX=/usr DESTDIR="$work/out" >/dev/null
    export LD_PRELOAD=$work/out/usr/lib/libfluxshim.so
    start_program bare unshare --pid --fork --kill-child --mount-proc "$SERVERS/threaded"
    unset LD_PRELOAD
    wait_until_ready
    start_inflight --slow 8 --path '/slow?ms=600'
    init=$(cat "/proc/$server_pid/task/$server_pid/children")
    send_signal TERM "${init% }"
    await_exit
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
}

# HAProxy -------------------------------------------------------------------------------------------

@test "HAProxy: the configuration is taken" {
    FRONT=127.0.0.1:1 ONE=127.0.0.1:2 TWO=127.0.0.1:3 STATS=$work/stats \
        haproxy -c -f "$deploy/haproxy/haproxy.cfg" >"$work/said" 2>&1 3>&-
    expect_match "what it says" "$(cat "$work/said")" 'valid'
    expect_equal "warnings" "$(grep -i warning "$work/said" || :)" ""
}

@test "a rolling restart behind haproxy: no request fails" {
    status=0
    /usr/bin/python3 "$BATS_TEST_DIRNAME/../scripts/rolling.py" --server "$SERVERS/threaded" \
        --shim "$SHIM" --config "$deploy/haproxy/haproxy.cfg" --restarts 1 --svg "$work/picture.svg" \
        >"$work/said" 2>&1 3>&- || status=$?
    note "$(grep requests "$work/said" | tr '\n' ';')"
    expect_equal "$(cat "$work/said"): status" "$status" 0
    expect_match "with" "$(cat "$work/said")" 'with fluxshim: [0-9]+ requests, 2 restarts, 0 failed'
    expect_match "bare loses some: otherwise this shows nothing" "$(cat "$work/said")" \
        'bare: [0-9]+ requests, 2 restarts, [1-9][0-9]* failed'
    expect_equal "rows of the picture" "$(grep -c 'class="title"' "$work/picture.svg")" 3
    /usr/bin/python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' "$work/picture.svg"
}
