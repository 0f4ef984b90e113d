import json
import subprocess
import sys
from pathlib import Path

import pytest

from lab.core.tally import parse

PROGRAMS = Path(__file__).parents[3] / "images" / "workload"


def shipped(kafka):
    return [json.loads(message)["seq"] for message in kafka.taken]


def ship_all(shipper):
    batches = 0
    while shipper.ship_batch():
        batches += 1
    return batches


def test_every_line_is_shipped_once_in_batches(programs, kafka):
    programs.app.LogFile().log(1200, "a")
    assert ship_all(programs.logger.Shipper()) == 3
    assert shipped(kafka) == list(range(1, 1201))


def test_the_message_is_the_line_and_where_it_came_from(programs, kafka):
    programs.app.LogFile().log(1, "a")
    ship_all(programs.logger.Shipper())
    message = json.loads(kafka.taken[0])
    assert list(message) == ["pod", "seq", "at", "message", "host", "shipped_at"]
    assert message["host"] == "node-1"


def test_the_tally_says_what_was_acknowledged(programs):
    programs.app.LogFile().log(3, "a")
    ship_all(programs.logger.Shipper())
    tally = parse((programs.folder / "tally" / "app-1").read_bytes())
    assert (tally.shipped_lines, tally.shipped_bytes) == (3, tally.written_bytes)
    assert tally.logger_cpu_us > 0


def test_a_restart_goes_on_where_it_was(programs, kafka):
    log = programs.app.LogFile()
    log.log(600, "a")
    programs.logger.Shipper().ship_batch()
    log.log(1, "b")
    ship_all(programs.logger.Shipper())
    assert shipped(kafka) == list(range(1, 602))


def test_refused_lines_are_sent_again_before_the_offset_moves(programs, kafka):
    programs.app.LogFile().log(10, "a")
    kafka.refusals = 4
    ship_all(programs.logger.Shipper())
    assert sorted(shipped(kafka)) == list(range(1, 11))


def test_when_the_client_gives_up_nothing_is_skipped(programs, kafka, monkeypatch):
    programs.app.LogFile().log(5, "a")
    shipper = programs.logger.Shipper()

    def away():
        raise programs.logger.KafkaError

    with monkeypatch.context() as patched:
        patched.setattr(kafka, "flush", away)
        with pytest.raises(programs.logger.KafkaError):
            shipper.ship_batch()
    kafka.taken.clear()
    ship_all(shipper)
    assert shipped(kafka) == [1, 2, 3, 4, 5]


def test_half_a_line_waits_for_its_end(programs, kafka):
    log = programs.folder / "app.log"
    log.write_bytes(b'{"seq": 1}\n{"se')
    shipper = programs.logger.Shipper()
    ship_all(shipper)
    with log.open("ab") as file:
        file.write(b'q": 2}\n')
    ship_all(shipper)
    assert shipped(kafka) == [1, 2]


def test_without_a_log_there_is_nothing_to_ship(programs):
    assert not programs.logger.Shipper().ship_batch()


def test_cpu_time_adds_up_over_restarts(programs):
    shipper = programs.logger.Shipper()
    shipper.words[programs.tally.LOGGER_CPU_US] = 10**9
    programs.logger.Shipper().count_cpu()
    assert shipper.words[programs.tally.LOGGER_CPU_US] > 10**9


def test_the_metrics_sidecar_sees_at_least_this_process(programs):
    usage = programs.metrics.usage()
    assert usage["processes"] >= 1
    assert usage["cpu_s"] > 0
    assert usage["rss_bytes"] > 1_000_000


def test_the_sidecars_import_the_real_producer_and_not_the_rest():
    code = "import shipping, sys; print(shipping.KafkaProducer.__module__, 'kafka.admin.client' in sys.modules, 'kafka.consumer.group' in sys.modules)"
    path = next(entry for entry in sys.path if entry.endswith("site-packages"))
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=PROGRAMS, env={"PYTHONPATH": path}, capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.split() == ["kafka.producer.kafka", "False", "False"]


def test_the_wait_for_a_broker_is_never_none_and_in_milliseconds():
    code = (
        "import shipping\n"
        "class Manager:\n def connection_delay(self, node): return node\n"
        "client = shipping.PatientClient(net=1, manager=Manager())\n"
        "print(client.connection_delay(0), client.connection_delay(2.5))"
    )
    path = next(entry for entry in sys.path if entry.endswith("site-packages"))
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=PROGRAMS, env={"PYTHONPATH": path}, capture_output=True, text=True, check=True, timeout=30
    )
    assert [float(word) for word in run.stdout.split()] == [100.0, 2500.0]
