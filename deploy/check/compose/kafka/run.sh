#!/usr/bin/env bash
# Kafka's own wrapper turns the KAFKA_* variables into a configuration and formats an empty data folder. Like the start of
# the official image, this takes a data folder that is formatted already for what it is: the broker's second start.
set -euo pipefail

said=$(java -Xmx256m -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config \
  --final-configs-dir /opt/kafka/config 2>&1) || grep -qi "already formatted" <<<"$said" || {
  echo "$said" >&2
  exit 1
}
read -ra heap <<<"${KAFKA_HEAP_OPTS:-}"
exec java "${heap[@]}" -Dkafka.logs.dir=/opt/kafka/logs -cp '/opt/kafka/libs/*' \
  kafka.Kafka /opt/kafka/config/server.properties
