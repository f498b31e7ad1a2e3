/* libmodbus's own RTU server on a serial line: rtu_server DEVICE UNIT [WORD...]. Holding
 * registers from 0 on, as given. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    modbus_t *modbus = modbus_new_rtu(argv[1], 9600, 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(0, 0, argc - 3, 0);
    if (modbus == NULL || map == NULL || modbus_set_slave(modbus, atoi(argv[2])) != 0 ||
        modbus_connect(modbus) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        map->tab_registers[i - 3] = (uint16_t)strtoul(argv[i], NULL, 0);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int n = modbus_receive(modbus, query);
        if (n > 0)
            modbus_reply(modbus, query, n, map);
    }
}
