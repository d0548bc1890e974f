import type { ReportLanguage } from './report-language.ts';

const later = 'Es probable que el problema sea pasajero. Envíe el mensaje de nuevo más tarde.';
const postmaster =
  'El administrador del sistema de destino puede decir la causa; facilítele la información que figura al final.';

export const spanish: ReportLanguage = {
  tag: 'es',
  kinds: {
    failed: {
      subject: 'No se puede entregar',
      opening: 'Su mensaje no se pudo entregar a:',
      closing: 'No se volverá a intentar. Envíe el mensaje de nuevo cuando se haya resuelto la causa.',
    },
    delayed: {
      subject: 'Entrega retrasada',
      opening: 'Su mensaje todavía no se ha entregado a:',
      closing:
        'No hace falta que lo envíe de nuevo. Se sigue intentando la entrega, y se le avisará si fracasa definitivamente.',
    },
    delivered: {
      subject: 'Entregado',
      opening: 'Su mensaje se entregó a:',
      closing: 'Usted pidió este informe. No significa que el mensaje se haya leído.',
    },
    relayed: {
      subject: 'Retransmitido',
      opening: 'Su mensaje se pasó al servidor responsable de:',
      closing:
        'Usted pidió que se le informara de la entrega. Ese servidor no envía tales informes, por lo que este es el último.',
    },
  },
  triedUntil: (date) => `Se intentará hasta ${date}.`,
  reason: 'Causa',
  said: (host) => `Respuesta de ${host}`,
  yourMessage: 'Su mensaje:',
  subject: 'Asunto',
  accepted: 'Aceptado',
  madeBy: (host) => `Este informe lo generó ${host}. La parte que sigue está destinada a administradores y programas.`,
  advice: {
    '1.0': 'La dirección fue rechazada. Compruébela y envíe el mensaje de nuevo.',
    '1.1': 'Ese buzón no existe. Compruebe la ortografía de la dirección y envíe el mensaje de nuevo.',
    '1.2': 'Ese dominio no existe o no acepta correo. Compruebe la parte que sigue a la @.',
    '1.3': 'La dirección está mal formada. Compruebe su ortografía.',
    '1.6': 'El destinatario cambió de dirección y no dejó la nueva. Pregúntesela por otro medio.',
    '1.8': 'Su propia dirección fue rechazada porque su dominio no es conocido. Su administrador puede resolverlo.',
    '1.10': 'El dominio indica que no acepta correo. Pida otra dirección.',
    '2.0': 'El buzón no puede recibir el mensaje. Contacte con el destinatario por otro medio.',
    '2.1': 'El buzón está desactivado. Contacte con el destinatario por otro medio.',
    '2.2': 'El buzón está lleno. Inténtelo de nuevo cuando el destinatario haya liberado espacio.',
    '2.3': 'El mensaje es demasiado grande para este buzón. Envíelo sin datos adjuntos o por partes.',
    '3.4': 'El mensaje es demasiado grande para el sistema de destino. Envíelo sin datos adjuntos o por partes.',
    '4.1': 'El servidor de destino no responde. Compruebe la parte que sigue a la @ o inténtelo más tarde.',
    '4.4': 'No se encontró ninguna ruta a ese dominio. Compruebe la parte que sigue a la @.',
    '4.6': 'El mensaje circuló en bucle. Su administrador, o el del destinatario, tiene que corregir el enrutamiento.',
    '3.0': `El sistema de destino tiene un fallo. ${later}`,
    '4.7': 'Se agotó el plazo de entrega. Inténtelo más tarde o por otro medio.',
    '5.3': 'El mensaje tiene demasiados destinatarios. Envíelo a menos destinatarios a la vez.',
    '6.7':
      'El sistema de destino no acepta direcciones o asuntos en esta escritura. Pida una dirección en letras latinas.',
    '7.1': `El sistema de destino no permite este mensaje. ${postmaster}`,
    '7.54': 'El servidor consultado no entrega correo a este dominio.',
    '0': 'El sistema de destino rechazó el mensaje. Su respuesta, más abajo, quizá diga la causa; si no, la conoce su administrador.',
    '1': 'Compruebe que la dirección sea correcta.',
    '2': `El buzón no puede recibir el mensaje. ${later}`,
    '3': `El sistema de destino no puede aceptar el mensaje. ${later}`,
    '4': `No se pudo contactar con el sistema de destino. ${later}`,
    '6': 'El sistema de destino no puede procesar la forma del mensaje. Envíelo como texto sin formato o sin datos adjuntos.',
    '7': `El sistema de destino rechazó el mensaje por motivos de seguridad. ${postmaster}`,
    other: postmaster,
  },
};
