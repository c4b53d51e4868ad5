#!/usr/bin/env bash
# Kafka's own wrapper turns the KAFKA_* variables into a configuration and formats an empty data folder.
set -euo pipefail

java -Xmx256m -cp '/opt/kafka/libs/*' kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config \
  --final-configs-dir /opt/kafka/config
read -ra heap <<<"${KAFKA_HEAP_OPTS:-}"
exec java "${heap[@]}" -Dkafka.logs.dir=/opt/kafka/logs -cp '/opt/kafka/libs/*' \
  kafka.Kafka /opt/kafka/config/server.properties
